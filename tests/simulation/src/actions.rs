//! lifecycle#actions-once as users see it: the requests to each link and its status are linearizable.

use std::collections::BTreeMap;

use instancelink_api::InstanceLink;
use instancelink_properties::linear::Watched;
use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::api::store::{Change, Key};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::operator::NAME;

/// The results of actions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actions {
    /// The requested actions.
    pub asked: u64,
    /// The actions that were overwritten before they were taken.
    pub ambiguous: u64,
}

/// Checks every link of a run at rest.
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

/// The fields of a link that the check of its history reads: a tenth of the object, because there are thousands of
/// runs.
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
