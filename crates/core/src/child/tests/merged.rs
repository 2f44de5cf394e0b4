//! What the API server does with the operator's patches of children.

use serde::Serialize;
use serde_json::{Map, Value};

use super::*;

/// The object after the operator has changed it from what was found to what is desired.
pub(in crate::child) fn patched<T: ChildKind>(object: &Value, found: &ChildSpec<T>, desired: &ChildSpec<T>) -> Value
where
    T::Api: Serialize,
{
    let delta = Delta::between(found, desired);
    merged(object, &to_patch(desired, &delta, ("uid-1", "7")).unwrap())
}

/// A JSON merge patch (RFC 7386).
pub(in crate::child) fn merged(object: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut members = object.as_object().cloned().unwrap_or_else(Map::new);
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            let before = members.get(name).cloned().unwrap_or_default();
            members.insert(name.clone(), merged(&before, value));
        }
    }
    Value::Object(members)
}
