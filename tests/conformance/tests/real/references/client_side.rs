//! `kubectl apply` without `--server-side`: a merge patch made of the last manifest, this manifest and the object. What the
//! object has and neither manifest names is left alone.

use serde_json::{Map, Value};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manifest with itself in the annotation, as kubectl creates it.
pub(crate) fn annotated(manifest: &Value) -> Value {
    let mut annotated = manifest.clone();
    annotated["metadata"]["annotations"][LAST_APPLIED] = format!("{manifest}\n").into();
    annotated
}

/// The patch that kubectl sends.
pub(crate) fn patch(live: &Value, manifest: &Value) -> Value {
    let last = live["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap_or("{}");
    let last: Value = serde_json::from_str(last).unwrap();
    Value::Object(three_way(&last, &annotated(manifest), live))
}

fn three_way(last: &Value, wanted: &Value, live: &Value) -> Map<String, Value> {
    let none = Map::new();
    let members = |of: &Value| of.as_object().cloned().unwrap_or_else(|| none.clone());
    let mut patch = Map::new();
    for (name, value) in members(wanted) {
        let (before, now) = (&last[&name], &live[&name]);
        if value.is_object() && now.is_object() {
            let changes = three_way(before, &value, now);
            if !changes.is_empty() {
                patch.insert(name, Value::Object(changes));
            }
        } else if value != *now {
            patch.insert(name, value);
        }
    }
    for (name, _) in members(last) {
        if wanted[&name].is_null() {
            patch.insert(name, Value::Null);
        }
    }
    patch
}
