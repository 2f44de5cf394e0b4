//! lifecycle#actions-once as users see it: the requests to each link, and its status, are linearizable.

use std::collections::BTreeMap;

use instancelink_api::InstanceLink;
use instancelink_properties::linear::Watched;
use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::api::store::{Change, Key};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::operator::NAME;

/// What became of actions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actions {
    /// Those that were asked for.
    pub asked: u64,
    /// Those that were overwritten before anybody took them.
    pub ambiguous: u64,
}

/// Judges every link of a run that has come to rest.
pub fn judge(history: &[Change]) -> (Actions, Vec<String>) {
    let mut links: BTreeMap<&Key, Watched> = BTreeMap::new();
    for change in history.iter().filter(|change| *change.key.resource == LINKS) {
        let watched = links.entry(&change.key).or_default();
        match InstanceLink::deserialize(judged_by(&change.after)) {
            Ok(link) if !change.deleted => watched.version(&link, change.by.starts_with(NAME)),
            _ => watched.cut(),
        }
    }
    let (mut actions, mut violations) = (Actions::default(), Vec::new());
    for (key, mut watched) in links {
        watched.rested();
        actions.asked += watched.asked;
        actions.ambiguous += watched.ambiguous;
        let found = watched.violations.into_iter();
        violations.extend(found.map(|what| format!("lifecycle#actions-once: {}: {what}", key.name)));
    }
    (actions, violations)
}

/// The members of a link that its history is judged by: a tenth of it, and there are thousands of runs.
fn judged_by(link: &Value) -> Value {
    let (metadata, status) = (&link["metadata"], &link["status"]);
    let mut members = json!({
        "apiVersion": link["apiVersion"],
        "kind": link["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": link["spec"],
    });
    for name in ["annotations", "deletionTimestamp"] {
        if !metadata[name].is_null() {
            members["metadata"][name] = metadata[name].clone();
        }
    }
    if !status["state"].is_null() {
        members["status"]["state"] = status["state"].clone();
        if !status["lastAction"].is_null() {
            members["status"]["lastAction"] = status["lastAction"].clone();
        }
    }
    members
}
