//! The steps of users. Each step waits until the links are in the expected state.

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{CONFIG_MAPS, GRANTS, LINKS, Resource, SERVICES, SLICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use serde_json::{Value, json};

use crate::seeds;

/// A script of steps, with the resting states in between.
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// The steps.
    pub steps: Vec<Step>,
}

/// An operation of users or of the cluster, and the states of the links after it.
pub struct Step {
    /// The operation.
    pub deed: Deed,
    /// The resting state of each link after it. None for a deleted link.
    pub then: Vec<(&'static str, Option<&'static str>)>,
    /// The next step follows without a pause.
    pub at_once: bool,
}

/// The operations.
pub enum Deed {
    /// `kubectl create`.
    Create(&'static Resource, Value),
    /// `kubectl annotate`.
    Act(&'static str, &'static str),
    /// A merge patch of an object in `shop`.
    Patch(&'static Resource, &'static str, Value),
    /// `kubectl delete`, in this namespace.
    Delete(&'static Resource, &'static str, &'static str),
    /// A workload with pods of these addresses in `shop`.
    Workload(&'static str, &'static [&'static str]),
    /// A pod of `shop` becomes ready with this address, or becomes unready.
    Ready(&'static str, &'static str, bool),
    /// The status of a link is lost, as backups do.
    WipeStatus(&'static str),
    /// A client damages an object.
    Damage(Damage),
    /// The editor of `data` and `system` copies every child of a link there, and puts a finalizer on the copies and on the
    /// link's policy.
    Forge(&'static str),
    /// Time passes.
    Wait(u64),
}

/// A damage to a field of an object.
#[derive(Clone, Debug)]
pub struct Damage {
    /// The object.
    pub key: Key,
    /// The field, as a JSON pointer.
    pub pointer: String,
    /// Its new value. None removes it.
    pub value: Option<Value>,
}

impl Script {
    /// An empty script.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            steps: Vec::new(),
        }
    }

    /// Adds a step.
    #[must_use]
    pub fn then(mut self, deed: Deed, then: &[(&'static str, &'static str)]) -> Self {
        let gone = |state: &'static str| (state != "gone").then_some(state);
        let then = then.iter().map(|(link, state)| (*link, gone(state))).collect();
        self.steps.push(Step {
            deed,
            then,
            at_once: false,
        });
        self
    }

    /// Adds a step. The next step follows without a pause.
    #[must_use]
    pub fn at_once(mut self, deed: Deed) -> Self {
        self.steps.push(Step {
            deed,
            then: Vec::new(),
            at_once: true,
        });
        self
    }
}

/// A link of `shop` from `web`, with more fields in its spec.
pub fn link(name: &'static str, alias: &str, target: &str, more: &str) -> Deed {
    let mut spec: Value = serde_yaml_ng::from_str(more).unwrap();
    if spec.is_null() {
        spec = json!({});
    }
    spec["linkName"] = alias.into();
    spec["instanceRef"] = json!({"kind": "Deployment", "name": "web"});
    if spec["targetInstanceRef"].is_null() {
        spec["targetInstanceRef"] = json!({"kind": "Deployment", "name": target});
    }
    Deed::Create(
        &LINKS,
        json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
    )
}

/// An edit of a link's spec.
pub fn edit(name: &'static str, spec: &str) -> Deed {
    let spec: Value = serde_yaml_ng::from_str(spec).unwrap();
    Deed::Patch(&LINKS, name, json!({"spec": spec}))
}

/// A grant of `data` for links of `shop`.
pub fn grant() -> Deed {
    let spec = json!({"from": [{"namespace": "shop"}], "to": [{"kind": "Deployment", "name": "pg"}]});
    Deed::Create(
        &GRANTS,
        json!({"metadata": {"name": "shop", "namespace": "data"}, "spec": spec}),
    )
}

impl Deed {
    /// Runs the operation.
    pub fn act(&self, api: &Api) {
        match self {
            Self::Create(resource, object) => {
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
                api.change(|store, now| {
                    let writer = Writer {
                        by: "kubectl-create",
                        now,
                    };
                    write::create(store, resource, namespace, object.clone(), writer).unwrap();
                });
            }
            Self::Act(link, value) => {
                let patch = json!({"metadata": {"annotations": {"instancelink.dev/action": value}}});
                merge_in_shop(api, &LINKS, link, None, &patch, "kubectl-annotate");
            }
            Self::Patch(resource, name, patch) => merge_in_shop(api, resource, name, None, patch, "kubectl-edit"),
            Self::WipeStatus(link) => {
                merge_in_shop(api, &LINKS, link, Some("status"), &json!({"status": null}), "velero");
            }
            Self::Delete(resource, namespace, name) => api.change(|store, now| {
                let key = key(resource, namespace, name);
                let writer = Writer {
                    by: "kubectl-delete",
                    now,
                };
                let options = json!({"gracePeriodSeconds": 0});
                write::delete(store, &key, &options, writer).unwrap();
            }),
            Self::Workload(name, addresses) => seeds::workload(api, "shop", name, addresses),
            Self::Ready(pod, address, ready) => seeds::pod_status(api, "shop", pod, address, *ready),
            Self::Damage(damage) => damage.act(api),
            Self::Forge(link) => crate::forgery::act(api, link),
            Self::Wait(_) => {}
        }
    }
}

impl Damage {
    /// Runs the operation if the API server allows it.
    fn act(&self, api: &Api) {
        let operation = match &self.value {
            Some(value) => json!([{"op": "replace", "path": self.pointer, "value": value}]),
            None => json!([{"op": "remove", "path": self.pointer}]),
        };
        api.change(|store, now| {
            let Some(object) = store.get(&self.key) else { return };
            let mut object = Value::clone(object);
            instancelink_testkit::api::patch(&mut object, operation);
            let _ = write::update(store, &self.key, None, object, false, Writer { by: "somebody", now });
        });
    }
}

pub(crate) fn key(resource: &'static Resource, namespace: &str, name: &str) -> Key {
    Key {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Sends a merge patch. False if the object does not exist.
pub fn merge(api: &Api, key: &Key, subresource: Option<&str>, patch: &Value, by: &str) -> bool {
    api.change(|store, now| {
        let Some(old) = store.get(key) else { return false };
        let mut new = Value::clone(old);
        instancelink_testkit::api::merge(&mut new, patch);
        write::update(store, key, subresource, new, false, Writer { by, now }).unwrap();
        true
    })
}

fn merge_in_shop(api: &Api, resource: &'static Resource, name: &str, part: Option<&str>, patch: &Value, by: &str) {
    let is_there = merge(api, &key(resource, "shop", name), part, patch, by);
    assert!(is_there, "{name} is gone, and should be patched");
}

/// The kinds in scripts.
pub use instancelink_testkit::api::resource as kinds;

/// The kinds of children, to find what the operator left.
pub static CHILDREN: [&Resource; 4] = [&SERVICES, &SLICES, &CONFIG_MAPS, &kinds::POLICIES];
