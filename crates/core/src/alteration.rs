//! What others changed in an object after the operator has written it, and which field manager did (lifecycle#disputes).
//!
//! It compares the object that was sent with the one in the API server, both as JSON. Whether a difference matters is decided
//! elsewhere, by what a child keeps; this is for the message. No value becomes part of it, because the object may be a Secret.

mod added;
mod path;

use instancelink_api::keys;
use serde_json::Value;

use crate::text;
use added::added;
use path::{Part, below, has, is_empty, shown};

/// Longer texts of others are shortened.
const SHOWN: usize = 128;

/// What others changed in a child, and who did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// The path of the field, such as `metadata.labels['app']`.
    pub field: String,
    /// The field manager that has the field; empty if no other than the operator has it.
    pub manager: String,
}

/// The first field in which the live object is not as it was sent. None if there is no difference.
pub fn alteration(sent: &Value, live: &Value) -> Option<Alteration> {
    let path = changed(sent, live).or_else(|| added(sent, live))?;
    Some(Alteration {
        manager: manager_of(live, &path),
        field: text::shown(&shown(&path), SHOWN),
    })
}

/// The path to the first value that was sent and is another one now.
fn changed(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    match (sent, live) {
        (Value::Null, _) => None,
        (Value::Object(sent), Value::Object(live)) => {
            let mut members = sent.iter();
            members.find_map(|(name, value)| {
                let found = live.get(name).unwrap_or(&Value::Null);
                let is_same = (is_empty(value) && is_empty(found)) || is_extended(name, value, found);
                let rest = changed(value, found).filter(|_| !is_same)?;
                Some(below(Part::Member(name.clone()), rest))
            })
        }
        (Value::Array(sent), Value::Array(live)) if sent.len() == live.len() => {
            let mut items = sent.iter().zip(live).enumerate();
            items.find_map(|(i, (sent, live))| Some(below(Part::Item(i), changed(sent, live)?)))
        }
        _ if sent == live => None,
        _ => Some(Vec::new()),
    }
}

/// True for a list that has all that was sent, and more beside it that is no alteration: owners that others added
/// (contract#additions), and the address of the second family, which Kubernetes assigns.
fn is_extended(name: &str, sent: &Value, live: &Value) -> bool {
    let (Some(sent), Some(live)) = (sent.as_array(), live.as_array()) else {
        return false;
    };
    match name {
        "ownerReferences" => sent
            .iter()
            .all(|owner| live.iter().any(|other| changed(owner, other).is_none())),
        "clusterIPs" => live.starts_with(sent),
        _ => false,
    }
}

/// The newest field manager beside the operator that has this field.
fn manager_of(live: &Value, path: &[Part]) -> String {
    let managed = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let entries = managed.into_iter().flatten();
    let others = entries.filter(|entry| entry["manager"] != keys::MANAGER && has(&entry["fieldsV1"], path));
    let newest = others.max_by_key(|entry| entry["time"].as_str().unwrap_or_default().to_owned());
    let name = newest.and_then(|entry| entry["manager"].as_str()).unwrap_or_default();
    text::shown(name, SHOWN)
}

#[cfg(test)]
mod tests;
