//! Random writes of a tenant in its own namespace, to harm another tenant: what an editor of a namespace may write, and
//! what its administrator and controllers may write there, too.
//!
//! The writes are data. Campaigns send them to the double or to a real API server. A write that is refused counts as not
//! sent.

mod children;
mod grants;
mod links;
mod metadata;
#[cfg(test)]
mod tests;
mod workloads;

use std::fmt;

use serde_json::Value;

use crate::dice::Dice;

/// A UID that no object has.
pub const UNKNOWN_UID: &str = "11111111-1111-4111-8111-111111111111";
/// How much of a body is shown.
const SHOWN: usize = 400;
/// How many objects a flood has.
const FLOOD: u32 = 40;
/// One of this number of writes is a flood.
const FLOODS: u32 = 16;
/// The most writes of one history, where a flood is one.
const MOST: u32 = 8;

/// The two namespaces, as the tenant that harms sees them.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The namespace of the writes.
    pub mine: String,
    /// The namespace of the other tenant.
    pub theirs: String,
    /// The names of links of the other tenant.
    pub their_links: Vec<String>,
    /// Their workloads, as kind and name.
    pub their_workloads: Vec<(&'static str, String)>,
    /// Objects of the other tenant whose UIDs the tenant knows, as kind and name.
    pub their_objects: Vec<(&'static str, String)>,
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Creates an object.
    Create,
    /// Sends a merge patch.
    Patch,
    /// Sends a merge patch to the status.
    PatchStatus,
    /// Deletes an object.
    Delete,
}

/// A write of one object in the tenant's namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// When, in thousandths of the other tenant's script.
    pub at: u32,
    /// Writes of one flood have the same number.
    pub number: u32,
    /// What it does.
    pub verb: Verb,
    /// The kind of the object.
    pub kind: &'static str,
    /// The name of the object.
    pub name: String,
    /// The object or the patch. Texts `{uid KIND NAME}` and `{my-uid KIND NAME}` are placeholders for the UIDs of objects
    /// of the other tenant and of this one.
    pub body: Value,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at, number, verb, kind, ..
        } = self;
        let body: String = self.body.to_string().chars().take(SHOWN).collect();
        write!(f, "{number} at {at}: {verb:?} {kind} {} {body}", self.name)
    }
}

/// The API version of a kind that a tenant writes.
pub fn api_version(kind: &str) -> &'static str {
    match kind {
        "InstanceLink" | "InstanceLinkGrant" => "instancelink.dev/v1alpha1",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "NetworkPolicy" => "networking.k8s.io/v1",
        "EndpointSlice" => "discovery.k8s.io/v1",
        _ => "v1",
    }
}

/// The writes of one history, in the order of their times. The same seed gives the same writes.
pub fn writes(scene: &Scene, seed: u64) -> Vec<Write> {
    let mut tenant = Tenant {
        scene,
        dice: Dice(seed),
        number: 0,
        at: 0,
        writes: Vec::new(),
    };
    let count = 1 + tenant.dice.roll(MOST);
    while tenant.number < count {
        tenant.at = tenant.dice.roll(1000);
        if tenant.dice.roll(FLOODS) == 0 {
            tenant.flood();
        } else {
            tenant.one();
        }
        tenant.number += 1;
    }
    let mut writes = tenant.writes;
    writes.sort_by_key(|write| write.at);
    writes
}

/// The tenant while it draws its writes.
struct Tenant<'a> {
    scene: &'a Scene,
    dice: Dice,
    number: u32,
    at: u32,
    writes: Vec<Write>,
}

impl Tenant<'_> {
    fn one(&mut self) {
        match self.dice.roll(14) {
            0..4 => self.create_link(),
            4..7 => self.change_link(),
            7..11 => self.child(),
            11 | 12 => self.workload(),
            _ => self.grant(),
        }
    }

    /// One kind of write, many times and with other names.
    fn flood(&mut self) {
        let before = self.writes.len();
        if self.dice.roll(2) == 0 {
            self.create_link();
        } else {
            self.child();
        }
        let Some(write) = self.writes.get(before).cloned() else {
            return;
        };
        for n in 0..FLOOD {
            let mut write = write.clone();
            write.name = format!("f{n}-{}", write.name);
            write.body["metadata"]["name"] = write.name.clone().into();
            if write.kind == "InstanceLink" && n % 2 == 0 {
                write.body["spec"]["linkName"] = format!("alias-{n}").into();
            }
            self.writes.push(write);
        }
    }

    /// Adds a write. A creation gets its name and its kind.
    fn push(&mut self, verb: Verb, kind: &'static str, name: &str, mut body: Value) {
        if verb == Verb::Create {
            body["apiVersion"] = api_version(kind).into();
            body["kind"] = kind.into();
            body["metadata"]["name"] = name.into();
        }
        self.writes.push(Write {
            at: self.at,
            number: self.number,
            verb,
            kind,
            name: name.to_owned(),
            body,
        });
    }

    /// True once in this number of times.
    fn once_in(&mut self, sides: u32) -> bool {
        self.dice.roll(sides) == 0
    }

    fn text(&mut self, from: &[&str]) -> String {
        self.dice.choose(from).to_owned()
    }

    /// The name of a link of the other tenant, or one of its own.
    fn link_name(&mut self) -> String {
        let theirs = self.scene.their_links.clone();
        let own = ["a1", "a2", "a3"];
        let n = self.dice.roll(6) as usize;
        own.get(n)
            .map(|name| (*name).to_owned())
            .or_else(|| theirs.get(n % theirs.len().max(1)).cloned())
            .unwrap_or_else(|| "a1".to_owned())
    }
}

impl Write {
    /// The body with UIDs in place of the placeholders. `uid_of` gets whether the object is the tenant's own, its kind and
    /// its name.
    pub fn resolved(&self, uid_of: &mut dyn FnMut(bool, &str, &str) -> Option<String>) -> Value {
        let mut body = self.body.clone();
        resolve(&mut body, uid_of);
        body
    }
}

fn resolve(value: &mut Value, uid_of: &mut dyn FnMut(bool, &str, &str) -> Option<String>) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|value| resolve(value, uid_of)),
        Value::Array(items) => items.iter_mut().for_each(|value| resolve(value, uid_of)),
        Value::String(text) => {
            while let Some((before, rest)) = text.split_once('{')
                && let Some((inner, after)) = rest.split_once('}')
                && let [whose, kind, name] = inner.split(' ').collect::<Vec<_>>()[..]
            {
                let uid = uid_of(whose == "my-uid", kind, name).unwrap_or_else(|| UNKNOWN_UID.to_owned());
                *text = format!("{before}{uid}{after}");
            }
        }
        _ => {}
    }
}
