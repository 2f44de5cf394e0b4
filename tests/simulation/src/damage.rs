//! Every damage that another client can do to the metadata and the content of one object.

use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{LINKS, Resource};
use instancelink_testkit::api::store::Store;
use serde_json::{Value, json};

use crate::script::{CHILDREN, Damage};

/// Fields of metadata that only the API server can change, or that identify the object.
const FIXED: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "deletionTimestamp",
];

/// Every damage to every existing link and child.
pub fn all(store: &Store) -> Vec<Damage> {
    let mut damages = Vec::new();
    for (key, object) in store.all() {
        let is_child = CHILDREN.contains(&key.resource) && is_ours(object);
        if !is_child && *key.resource != LINKS {
            continue;
        }
        let mut pointers = Vec::new();
        for (name, value) in object["metadata"].as_object().into_iter().flatten() {
            if !FIXED.contains(&name.as_str()) {
                members(&format!("/metadata/{name}"), value, &mut pointers);
            }
        }
        for part in contents(key.resource) {
            if let Some(value) = object.pointer(part) {
                members(part, value, &mut pointers);
            }
        }
        for pointer in pointers.into_iter().filter(|pointer| counts(pointer)) {
            let found = object.pointer(&pointer).cloned().unwrap_or_default();
            // A missing condition of an endpoint has the same meaning as the default.
            let optional = pointer.contains("/conditions");
            for value in [(!optional).then_some(None), Some(altered(&found))]
                .into_iter()
                .flatten()
            {
                if optional && value == Some(json!({})) {
                    continue;
                }
                damages.push(Damage {
                    key: key.clone(),
                    pointer: pointer.clone(),
                    value,
                });
            }
        }
    }
    damages
}

/// Another protocol is refused, and a finalizer of another client is not ours.
fn counts(pointer: &str) -> bool {
    !pointer.ends_with("/protocol") && pointer != "/metadata/finalizers/0"
}

fn is_ours(object: &Value) -> bool {
    object
        .labels()
        .is_some_and(|l| l.get("app.kubernetes.io/managed-by") == Some(&json!("instancelink")))
}

/// The other damages that the API server allows. The spec of a link belongs to its user.
fn contents(resource: &Resource) -> &'static [&'static str] {
    match resource.kind {
        "Service" => &[
            "/spec/selector",
            "/spec/ports/0/port",
            "/spec/publishNotReadyAddresses",
            "/spec/sessionAffinity",
            "/spec/internalTrafficPolicy",
        ],
        "EndpointSlice" => &["/endpoints", "/ports"],
        "ConfigMap" => &["/data"],
        "NetworkPolicy" => &["/spec"],
        _ => &[],
    }
}

/// A field and all fields in it.
fn members(pointer: &str, value: &Value, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                let name = name.replace('~', "~0").replace('/', "~1");
                members(&format!("{pointer}/{name}"), value, found);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                members(&format!("{pointer}/{i}"), item, found);
            }
        }
        _ => {}
    }
}

/// Another value of the same type.
fn altered(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.parse::<std::net::IpAddr>().is_ok() => Some(json!("192.0.2.66")),
        Value::String(text) => Some(json!(format!("{text}x"))),
        Value::Bool(is) => Some(json!(!is)),
        Value::Number(_) => Some(json!(4711)),
        Value::Array(_) => Some(json!([])),
        Value::Object(_) => Some(json!({})),
        Value::Null => None,
    }
}
