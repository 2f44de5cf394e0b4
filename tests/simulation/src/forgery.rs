//! What the editor of another namespace can do to look like the owner of a link: copies of its children with all their marks.

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{CONFIG_MAPS, LINKS, POLICIES, Resource, SERVICES, SLICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use serde_json::{Value, json};

use crate::oracle::{FORGER, LINK_UID, label};

/// Copies of the policy under other names.
const FLOOD: usize = 50;
/// The kinds of children.
static COPIED: [&Resource; 4] = [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES];

/// Copies the children of a link of `shop` into `data` and `system`, and holds the copies and the link's policy in `data`.
pub(crate) fn act(api: &Api, link: &str) {
    let mut originals: Vec<(Key, Value)> = Vec::new();
    {
        let store = api.store();
        let found = store.of(&LINKS).find(|found| found["metadata"]["name"] == *link);
        let uid = found
            .and_then(|link| link["metadata"]["uid"].as_str())
            .unwrap_or_default();
        for (key, object) in store.all() {
            let entries = object["metadata"]["annotations"]["instancelink.dev/entries"].as_str();
            let is_child = label(object, LINK_UID) == uid || entries.is_some_and(|entries| entries.contains(uid));
            if COPIED.contains(&key.resource) && is_child {
                originals.push((key.clone(), Value::clone(object)));
            }
        }
    }
    assert!(!originals.is_empty(), "the link {link} has no child");
    for (key, object) in originals {
        for namespace in ["data", "system"] {
            if key.namespace == namespace {
                hold(api, &key);
                continue;
            }
            copy(api, &key, &object, namespace, &key.name);
        }
        if *key.resource == POLICIES {
            let (_, hash) = key.name.rsplit_once('-').unwrap_or_default();
            for number in 0..FLOOD {
                copy(api, &key, &object, "system", &format!("flood-{number}-{hash}"));
            }
        }
    }
}

fn copy(api: &Api, key: &Key, object: &Value, namespace: &str, name: &str) {
    let mut copy = object.clone();
    if let Some(meta) = copy["metadata"].as_object_mut() {
        for field in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "managedFields",
            "generation",
        ] {
            meta.remove(field);
        }
        meta.insert("name".to_owned(), name.into());
        meta.insert("namespace".to_owned(), namespace.into());
        meta.insert("finalizers".to_owned(), json!(["example.org/mallory"]));
    }
    if let Some(spec) = copy["spec"]
        .as_object_mut()
        .filter(|spec| spec.get("clusterIP") != Some(&json!("None")))
    {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    api.change(|store, now| write::create(store, key.resource, namespace, copy, Writer { by: FORGER, now }).unwrap());
}

fn hold(api: &Api, key: &Key) {
    api.change(|store, now| {
        let Some(object) = store.get(key) else { return };
        let mut held = Value::clone(object);
        held["metadata"]["finalizers"] = json!(["example.org/mallory"]);
        write::update(store, key, None, held, false, Writer { by: FORGER, now }).unwrap();
    });
}
