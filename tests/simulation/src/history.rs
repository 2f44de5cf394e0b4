//! The history of a run, reduced to what two runs must have in common: the objects, the number of writes, and the
//! states of the links.

use std::collections::BTreeMap;

use instancelink_testkit::api::resource::{EVENTS, LEASES, LINKS, Resource};
use instancelink_testkit::api::store::{Change, Store};
use serde_json::Value;

/// The objects at the end, without fields that differ from run to run.
pub type Ends = BTreeMap<String, Value>;

/// The objects at the end.
pub fn ends(store: &Store) -> Ends {
    let counts = |resource: &Resource| *resource != EVENTS && *resource != LEASES;
    let objects = store.all().filter(|(key, _)| counts(key.resource));
    objects
        .map(|(key, object)| {
            let name = format!("{} {}/{}", key.resource.plural, key.namespace, key.name);
            (name, plain(object))
        })
        .collect()
}

/// Fields that differ from run to run: times, versions, UIDs, and values derived from UIDs.
const VOLATILE: [&str; 17] = [
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "managedFields",
    "lastTransitionTime",
    "generation",
    "observedGeneration",
    "at",
    "desiredAt",
    "since",
    "completedAt",
    "instancelink.dev/intent",
    "clusterIP",
    "clusterIPs",
    "history",
    "seq",
    "drainFrom",
];

pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            let plain = |(name, value): (&String, &Value)| (name.clone(), plain_member(name, value));
            Value::Object(kept.map(plain).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        // UIDs of the double, for example in labels, targetRefs and messages.
        Value::String(text) if text.contains("00000000-0000-4000-8000-") => {
            let at = text.find("00000000-0000-4000-8000-").unwrap_or(0);
            let end = (at + 36).min(text.len());
            Value::String(format!("{}<uid>{}", &text[..at], &text[end..]))
        }
        Value::String(text) if is_time(text) => Value::String("<time>".to_owned()),
        other => other.clone(),
    }
}

/// Any link of the source may be the representative of the shared objects.
fn plain_member(name: &str, value: &Value) -> Value {
    if name == "instancelink.dev/link" {
        return Value::Bool(value.is_string());
    }
    plain(value)
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.starts_with("20") && text.as_bytes()[10] == b'T'
}

/// Creations and updates by operators, and deletions by any client: the garbage collector may delete some children
/// first.
pub fn counts(history: &[Change], by: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for change in history {
        if !(change.by.starts_with(by) || change.deleted)
            || *change.key.resource == EVENTS
            || *change.key.resource == LEASES
        {
            continue;
        }
        let verb = match (&change.before, change.deleted) {
            (None, _) => "create",
            (_, true) => "delete",
            (Some(_), false) => "update",
        };
        let key = &change.key;
        let what = format!("{verb} {} {}/{}", key.resource.plural, key.namespace, key.name);
        *counts.entry(what).or_insert(0) += 1;
    }
    counts
}

/// The states of each link.
pub fn walks(history: &[Change]) -> BTreeMap<String, Vec<String>> {
    let mut walks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in history.iter().filter(|change| *change.key.resource == LINKS) {
        let walk = walks.entry(change.key.name.clone()).or_default();
        let state = change.after["status"]["state"].as_str().unwrap_or_default();
        if walk.last().map(String::as_str) != Some(state) {
            walk.push(state.to_owned());
        }
    }
    walks
}
