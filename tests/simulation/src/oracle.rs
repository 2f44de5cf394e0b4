//! The invariants of the lifecycle, checked over the whole history of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use instancelink_api::State;
use instancelink_core::lifecycle::is_edge;
use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{CONFIG_MAPS, GRANTS, LINKS, NAMESPACES, PODS, POLICIES, SERVICES, SLICES};
use instancelink_testkit::api::store::{Change, Key};
use serde_json::Value;

use crate::operator::NAME;

/// Who writes children that the operator did not create.
pub(crate) const FORGER: &str = "mallory";
pub(crate) const LINK_UID: &str = "instancelink.dev/link-uid";
const ENTRIES: &str = "instancelink.dev/entries";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The cluster as it was at a moment of the history.
#[derive(Default)]
struct World {
    objects: BTreeMap<Key, Arc<Value>>,
    /// The UIDs of links whose purge has started.
    purging: BTreeSet<String>,
    /// The taken requests of each link, by the `seq` of the intent.
    taken: BTreeMap<(String, u64), String>,
    /// The UIDs of policies that were forged.
    forged: BTreeSet<String>,
    /// All addresses that pods of a namespace ever had.
    addresses: BTreeSet<(String, String)>,
    /// The UIDs of the objects that operators created. Others may change each of their labels.
    created: BTreeSet<String>,
    found: Vec<String>,
}

/// All violations.
pub fn judge(history: &[Change]) -> Vec<String> {
    let mut world = World::default();
    for change in history {
        if change.deleted {
            world.objects.remove(&change.key);
        } else {
            world.objects.insert(change.key.clone(), Arc::clone(&change.after));
        }
        if *change.key.resource == PODS
            && let Some(address) = change.after["status"]["podIP"].as_str()
        {
            let known = (change.key.namespace.clone(), address.to_owned());
            world.addresses.insert(known);
        }
        let ours = change.by.starts_with(NAME);
        if *change.key.resource == POLICIES && change.by == FORGER && change.before.is_none() {
            world.forged.insert(change.after.meta("uid").to_owned());
        }
        if ours && change.before.is_none() {
            world.created.insert(change.after.meta("uid").to_owned());
        }
        if *change.key.resource == LINKS {
            world.link_changed(change, ours);
        } else if ours && [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES].contains(&change.key.resource) {
            world.child_changed(change);
        }
    }
    world.found
}

impl World {
    fn violated(&mut self, change: &Change, what: &str) {
        let key = &change.key;
        let line = format!(
            "{what} (version {}, {} {}/{})",
            change.version, key.resource.plural, key.namespace, key.name
        );
        self.found.push(line);
    }

    fn link_changed(&mut self, change: &Change, ours: bool) {
        let to = state_of(&change.after);
        let from = change.before.as_ref().and_then(|before| state_of(before));
        let Some(to) = to else {
            return self.violated(change, "lifecycle#only-known-edges: a link without a state");
        };
        if ours
            && let Some(from) = from
            && from != to
            && !is_edge(from, to)
        {
            self.violated(
                change,
                &format!("lifecycle#only-known-edges: {from} to {to} is no edge"),
            );
        }
        let uid = change.after.meta("uid").to_owned();
        if [State::Purging, State::Purged].contains(&to) {
            self.purging.insert(uid.clone());
        }
        if ours && from != Some(to) && !change.deleted {
            let bare = [State::Inactive, State::UpdatingInactive, State::Removed, State::Purged];
            let children = self.children_of(&change.key.namespace, &uid);
            if bare.contains(&to) && !children.is_empty() {
                self.violated(
                    change,
                    &format!("lifecycle#no-children-at-rest: {to} with {}", children.join(", ")),
                );
            }
            if to == State::Active && !children.iter().any(|child| child.starts_with("endpointslices")) {
                self.violated(change, "lifecycle#active-is-complete: active without a slice");
            }
        }
        if change.deleted && ours {
            let children = self.children_of(&change.key.namespace, &uid);
            if !children.is_empty() {
                self.violated(change, &format!("the finalizer went before {}", children.join(", ")));
            }
        }
        if ours {
            self.action_taken(change, &uid);
        }
    }

    /// The request that is taken is the one in the annotation, and each `seq` is used once (lifecycle#actions-once).
    fn action_taken(&mut self, change: &Change, uid: &str) {
        let annotation = |object: &Value, key: &str| {
            let value = object["metadata"]["annotations"][key].as_str();
            value.map(str::to_owned)
        };
        let (intent, action) = ("instancelink.dev/intent", "instancelink.dev/action");
        let Some(after) = annotation(&change.after, intent) else {
            return;
        };
        let before = change.before.as_ref().and_then(|b| annotation(b, intent));
        if before.as_ref() == Some(&after) {
            return;
        }
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let new = read(&after);
        let seq = new["seq"].as_u64().unwrap_or(0);
        let asked = change.before.as_ref().and_then(|b| annotation(b, action));
        let gone = annotation(&change.after, action).is_none();
        if asked.is_some() && gone {
            let id = new["id"].as_str().filter(|id| !id.is_empty());
            let verb = new["action"].as_str().unwrap_or_default();
            let value = id.map_or(verb.to_owned(), |id| format!("{verb}/{id}"));
            if asked.as_deref() != Some(&value) && new["verdict"] == "Accepted" {
                self.violated(
                    change,
                    &format!("lifecycle#actions-once: {asked:?} was asked for, and {value} taken"),
                );
            }
            if let Some(earlier) = self.taken.insert((uid.to_owned(), seq), value.clone()) {
                self.violated(
                    change,
                    &format!("lifecycle#actions-once: number {seq} was given to {earlier}, and again to {value}"),
                );
            }
            let handled = before.as_deref().map(read).unwrap_or_default();
            let known = handled["handled"]
                .as_array()
                .is_some_and(|h| h.contains(&Value::from(value.clone())));
            if known && value.contains('/') {
                self.violated(change, &format!("lifecycle#actions-once: {value} was handled before"));
            }
        }
    }

    fn child_changed(&mut self, change: &Change) {
        let owned = |object: &Value| object.labels().and_then(|l| l.get(MANAGED_BY)) == Some(&"instancelink".into());
        if let Some(before) = &change.before
            && !owned(before)
            && !self.created.contains(before.meta("uid"))
        {
            self.violated(change, "lifecycle#foreign-untouched: what is not ours was written");
        }
        if *change.key.resource == CONFIG_MAPS {
            self.environment_written(change);
        }
        if change.deleted {
            return;
        }
        let link = label(&change.after, LINK_UID);
        if self.purging.contains(&link) && change.before.is_none() {
            self.violated(
                change,
                "lifecycle#no-child-after-purge: a child was made after the purge began",
            );
        }
        if *change.key.resource == SLICES {
            self.slice_written(change, &link);
        }
    }

    /// A write of the environment keeps the entries of the other active links (lifecycle#active-is-complete).
    fn environment_written(&mut self, change: &Change) {
        let entries = |object: &Value| {
            let text = object["metadata"]["annotations"][ENTRIES].as_str().unwrap_or_default();
            let entries: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
            entries.into_keys().collect::<BTreeSet<_>>()
        };
        let before = change.before.as_ref().map(|before| entries(before)).unwrap_or_default();
        let after = if change.deleted {
            BTreeSet::new()
        } else {
            entries(&change.after)
        };
        for uid in before.difference(&after) {
            let link = self.objects.values().find(|object| object.meta("uid") == uid);
            if link.and_then(|link| state_of(link)) == Some(State::Active) {
                self.violated(
                    change,
                    &format!("lifecycle#active-is-complete: the entry of the active link {uid} was taken away"),
                );
            }
        }
    }

    /// Endpoints are existing pods (lifecycle#only-target-pods), in namespaces that consent
    /// (lifecycle#only-with-consent).
    fn slice_written(&mut self, change: &Change, link: &str) {
        // The alias resolves to the link's virtual IP.
        for (key, service) in self.objects.iter().filter(|(key, _)| *key.resource == SERVICES) {
            if let (true, Some(address)) = (label(service, LINK_UID) == link, service["spec"]["clusterIP"].as_str()) {
                self.addresses.insert((key.namespace.clone(), address.to_owned()));
            }
        }
        let object = self.objects.values().find(|object| object.meta("uid") == link);
        let target = object.map(|link| link["spec"]["targetInstanceRef"]["namespace"].clone());
        let there = target.as_ref().and_then(Value::as_str).unwrap_or("shop").to_owned();
        let mut wrong = Vec::new();
        let before = change.before.as_ref().map(|b| addresses(b)).unwrap_or_default();
        for address in addresses(&change.after).difference(&before) {
            let known = self.addresses.iter().any(|(_, known)| known == address);
            if !known {
                wrong.push(format!("lifecycle#only-target-pods: {address} is no pod's"));
            }
            let foreign = self.addresses.contains(&("data".to_owned(), address.clone()));
            let granted = self
                .objects
                .keys()
                .any(|key| *key.resource == GRANTS && key.namespace == "data");
            if foreign && there == "data" && !granted {
                wrong.push(format!("lifecycle#only-with-consent: {address} without a grant"));
            }
        }
        for what in wrong {
            self.violated(change, &what);
        }
    }

    /// The objects of a link, including shared ones. A terminating namespace deletes its objects itself. In another namespace
    /// than the link's only its policy counts, until its deletion is accepted (lifecycle#no-wait-for-others).
    fn children_of(&self, namespace: &str, uid: &str) -> Vec<String> {
        let mut children = Vec::new();
        for (key, object) in &self.objects {
            let is_own_policy = *key.resource == POLICIES && !self.forged.contains(object.meta("uid"));
            if key.namespace != namespace && (!is_own_policy || object.is_terminating()) {
                continue;
            }
            let space = Key {
                resource: &NAMESPACES,
                namespace: String::new(),
                name: key.namespace.clone(),
            };
            if self.objects.get(&space).is_some_and(|space| space.is_terminating()) {
                continue;
            }
            let entries = object["metadata"]["annotations"][ENTRIES].as_str().unwrap_or_default();
            let virtual_ip = *key.resource == SERVICES;
            if (label(object, LINK_UID) == uid && !virtual_ip) || entries.contains(uid) {
                children.push(format!("{} {}", key.resource.plural, key.name));
            }
        }
        children
    }
}

fn addresses(slice: &Value) -> BTreeSet<String> {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    let lists = endpoints.filter_map(|endpoint| endpoint["addresses"].as_array());
    lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn label(object: &Value, key: &str) -> String {
    let found = object.labels().and_then(|labels| labels.get(key));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn state_of(link: &Value) -> Option<State> {
    serde_json::from_value(link["status"]["state"].clone()).ok()
}
