//! Checks links that are at rest.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{LINKS, PODS, SERVICES, SLICES};
use instancelink_testkit::api::store::Store;
use serde_json::Value;

use crate::oracle::{LINK_UID, label};

/// Namespace and name of each link, and its expected state if it is known.
pub(super) type Expected = BTreeMap<(String, String), Option<String>>;

/// The first few differences from the expected state.
pub(super) fn wrong(store: &Store, expected: &Expected) -> Vec<String> {
    let (slices, pods) = (by_link(store), ready(store));
    let none = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut left: BTreeSet<_> = expected.keys().collect();
    for link in store.of(&LINKS) {
        let id = (link.meta("namespace").to_owned(), link.meta("name").to_owned());
        let say = |what: String| format!("{}/{} {what}", id.0, id.1);
        let Some(expected) = expected.get(&id) else {
            wrong.push(say("should be gone".to_owned()));
            continue;
        };
        left.remove(&id);
        let state = link["status"]["state"].as_str().unwrap_or_default();
        if !["active", "inactive", "removed", "purged"].contains(&state) {
            wrong.push(say(format!("does not rest: {state:?}")));
        } else if expected.as_ref().is_some_and(|expected| expected != state) {
            wrong.push(say(format!("is {state} and not {expected:?}")));
        } else if link["status"]["observedGeneration"] != link["metadata"]["generation"] {
            wrong.push(say("was edited, and the status does not answer that".to_owned()));
        } else if !is_heard(link) {
            wrong.push(say("has an action that nobody took".to_owned()));
        } else {
            let programmed = slices.get(link.meta("uid")).unwrap_or(&none);
            let target = link["spec"]["targetInstanceRef"]["name"].as_str().unwrap_or_default();
            let due = (state == "active").then(|| pods.get(&(id.0.clone(), target.to_owned())));
            let due = due.flatten().unwrap_or(&none);
            if programmed != due {
                wrong.push(say(format!(
                    "is {state} and leads to {programmed:?} instead of {due:?}"
                )));
            }
        }
    }
    wrong.extend(
        left.into_iter()
            .map(|(space, name)| format!("{space}/{name} is missing")),
    );
    wrong
}

/// Each request was taken and acknowledged. Between the two a link looks as if it was at rest.
fn is_heard(link: &Value) -> bool {
    let annotation = |key: &str| link["metadata"]["annotations"][key].as_str();
    let last = &link["status"]["lastAction"];
    let intent = annotation("instancelink.dev/intent").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let shown = intent.is_none_or(|intent| intent["seq"] == last["seq"]);
    let handled = |action| {
        last["handled"]
            .as_array()
            .is_some_and(|handled| handled.contains(&action))
    };
    shown && annotation("instancelink.dev/action").is_none_or(|action| handled(Value::from(action)))
}

/// The addresses in the slices of each link, without its virtual IP.
fn by_link(store: &Store) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for slice in store.of(&SLICES) {
        let addresses = found.entry(label(slice, LINK_UID)).or_default();
        let endpoints = slice["endpoints"].as_array().into_iter().flatten();
        let lists = endpoints.filter_map(|endpoint| endpoint["addresses"].as_array());
        addresses.extend(lists.flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    for service in store.of(&SERVICES) {
        let (of, address) = (label(service, LINK_UID), service["spec"]["clusterIP"].as_str());
        if let (Some(addresses), Some(address)) = (found.get_mut(&of), address) {
            addresses.remove(address);
        }
    }
    found
}

/// The addresses of ready pods, by namespace and workload.
fn ready(store: &Store) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for pod in store.of(&PODS) {
        let address = pod["status"]["podIP"].as_str();
        if let Some(address) = address.filter(|_| pod["status"]["conditions"][0]["status"] == "True") {
            let of = (pod.meta("namespace").to_owned(), label(pod, "app"));
            found.entry(of).or_default().insert(address.to_owned());
        }
    }
    found
}
