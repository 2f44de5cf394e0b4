//! What of A may show in B's namespace: while B consents, the policies of A's links for the granted pods. And what the
//! operator may write at all: what it created.

use std::collections::BTreeMap;
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{CONFIG_MAPS, LINKS, POLICIES, SECRETS, SERVICES, SLICES};
use instancelink_testkit::api::store::{Key, Store};
use serde_json::{Value, json};

use super::places::{A, B};
use super::script::GRANTED;
use crate::operator::NAME;
use crate::oracle::{LINK_UID, label};

/// True if it is the policy of a link of A in B's namespace.
pub(super) fn is_guest(store: &Store, key: &Key, object: &Value) -> bool {
    let uid = label(object, LINK_UID);
    let theirs = || {
        store
            .changes_after(0)
            .iter()
            .any(|change| *change.key.resource == LINKS && change.key.namespace == A && change.after.meta("uid") == uid)
    };
    *key.resource == POLICIES && key.namespace == B && !uid.is_empty() && theirs()
}

/// Each of them must have B's consent, and select exactly the granted pods.
pub(super) fn judge(api: &Api, when: &str, now: Duration) -> Vec<String> {
    let store = api.store();
    let [from, to] = GRANTED.map(Duration::from_secs);
    let mut wrong = Vec::new();
    for (key, object) in store.all().filter(|(key, object)| is_guest(&store, key, object)) {
        if now < from || now >= to {
            wrong.push(format!(
                "{when}: the policy {} of a link of A is there without consent",
                key.name
            ));
        }
        if object["spec"]["podSelector"] != json!({"matchLabels": {"app": "pg"}}) {
            wrong.push(format!(
                "{when}: the policy {} selects other pods: {}",
                key.name, object["spec"]
            ));
        }
    }
    wrong
}

/// The objects that the operator changed or deleted, and another client created (lifecycle#foreign-untouched). Those that
/// A gave the marks of the operator's own in its own namespace do not count (contract#ownership).
pub(super) fn touched(api: &Api) -> Vec<String> {
    let kinds = [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES, &SECRETS];
    let store = api.store();
    let mut authors: BTreeMap<String, &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    for change in store
        .changes_after(0)
        .iter()
        .filter(|change| kinds.contains(&change.key.resource))
    {
        let uid = change.after.meta("uid").to_owned();
        if change.before.is_none() {
            authors.insert(uid, &change.by);
        } else if change.by.starts_with(NAME)
            && authors.get(&uid).is_some_and(|by| !by.starts_with(NAME))
            && !(change.key.namespace == A && is_forged(change.before.as_deref()))
        {
            let verb = if change.deleted { "deleted" } else { "changed" };
            let key = &change.key;
            wrong.push(format!(
                "lifecycle#foreign-untouched: {verb} {} {}/{} of {}",
                key.resource.plural, key.namespace, key.name, authors[&uid]
            ));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// True if an object has two marks of a child, one of which only a forger writes.
fn is_forged(object: Option<&Value>) -> bool {
    let Some(metadata) = object.map(|object| &object["metadata"]) else {
        return false;
    };
    let labels = &metadata["labels"];
    let owners = metadata["ownerReferences"].as_array();
    let ours = [
        labels[LINK_UID].is_string() || labels["instancelink.dev/source-uid"].is_string(),
        metadata["annotations"]["instancelink.dev/link"].is_string(),
    ];
    let common = [
        labels["app.kubernetes.io/managed-by"] == "instancelink",
        owners.is_some_and(|owners| !owners.is_empty()),
    ];
    let count = |marks: [bool; 2]| marks.into_iter().filter(|mark| *mark).count();
    count(ours) >= 1 && count(ours) + count(common) >= 2
}
