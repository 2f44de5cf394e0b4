//! Sends the writes of A to the double, under A's name.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{RESOURCES, Resource};
use instancelink_testkit::api::store::Store;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::tenant::{Verb, Write};
use serde_json::{Value, json};

use super::places::{A, B};
use crate::script::key;
use crate::seeds;

/// The name of A at the double.
pub(super) const BY: &str = "tenant-a";
/// The address of pods that A creates.
const ADDRESS: &str = "10.0.1.99";

pub(super) struct Tenant {
    api: Arc<Api>,
    /// The last known UIDs of objects of both tenants. They stay known when the objects are gone.
    uids: BTreeMap<(bool, String, String), String>,
    /// The writes that were not refused.
    pub(super) sent: u64,
}

impl Tenant {
    pub(super) fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            uids: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Sends a write. It may be refused.
    pub(super) fn write(&mut self, write: &Write) {
        let Some(resource) = RESOURCES.into_iter().find(|resource| resource.kind == write.kind) else {
            return;
        };
        let body = {
            let store = self.api.store();
            let uids = &mut self.uids;
            write.resolved(&mut |mine, kind, name| {
                let known = (mine, kind.to_owned(), name.to_owned());
                if let Some(uid) = uid_of(&store, if mine { A } else { B }, kind, name) {
                    uids.insert(known.clone(), uid);
                }
                uids.get(&known).cloned()
            })
        };
        if send(&self.api, resource, write, body) {
            self.sent += 1;
            if write.kind == "Pod" && write.verb == Verb::Create {
                seeds::pod_status(&self.api, A, &write.name, ADDRESS, true);
            }
        }
    }
}

fn uid_of(store: &Store, namespace: &str, kind: &str, name: &str) -> Option<String> {
    let resource = RESOURCES.into_iter().find(|resource| resource.kind == kind)?;
    Some(store.get(&key(resource, namespace, name))?.meta("uid").to_owned())
}

/// True if it was not refused.
fn send(api: &Api, resource: &'static Resource, write: &Write, body: Value) -> bool {
    let key = key(resource, A, &write.name);
    api.change(|store, now| {
        let writer = Writer { by: BY, now };
        match write.verb {
            Verb::Create => write::create(store, resource, A, body, writer).is_ok(),
            Verb::Delete => write::delete(store, &key, &json!({"gracePeriodSeconds": 0}), writer).is_ok(),
            Verb::Patch | Verb::PatchStatus => {
                let part = (write.verb == Verb::PatchStatus).then_some("status");
                let Some(old) = store.get(&key) else { return false };
                let mut new = Value::clone(old);
                instancelink_testkit::api::merge(&mut new, &body);
                write::update(store, &key, part, new, false, writer).is_ok()
            }
        }
    })
}
