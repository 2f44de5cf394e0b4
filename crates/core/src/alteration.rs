//! What others changed in an object after the operator has written it, and which field manager did (lifecycle#disputes).
//!
//! It compares the object that was sent with the one in the API server, both as JSON. Whether a difference matters is decided
//! elsewhere, by what a child keeps; this is for the message. No value becomes part of it, because the object may be a Secret.

use std::fmt::Write as _;

use instancelink_api::keys;
use serde_json::{Map, Value};

use crate::text;

/// Longer texts of others are shortened.
const SHOWN: usize = 128;
/// Fields that the API server sets in a Service where none are sent.
const ASSIGNED: [&str; 4] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];
/// What a client that writes an object again has to send, and what only the API server writes.
const IDENTITY: [&str; 4] = ["name", "namespace", "uid", "resourceVersion"];

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

/// The name of a member, or the index of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Member(String),
    Item(usize),
}

/// The path to the first value that was sent and is another one now.
fn changed(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    match (sent, live) {
        (Value::Null, _) => None,
        (Value::Object(sent), Value::Object(live)) => {
            let mut members = sent.iter().filter(|(name, _)| !IDENTITY.contains(&name.as_str()));
            members.find_map(|(name, value)| {
                let found = live.get(name).unwrap_or(&Value::Null);
                let rest = changed(value, found).filter(|_| !is_empty(value) || !is_empty(found))?;
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

/// Members that are not part of the content, or that belong to others (contract#additions).
const BESIDE: [&str; 5] = ["metadata", "status", "apiVersion", "kind", "binaryData"];

/// The path to the first value in the content that was not sent and is no default.
fn added(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    let members = live.as_object()?.iter();
    let mut content = members.filter(|(name, _)| !BESIDE.contains(&name.as_str()));
    content.find_map(|(name, value)| {
        let rest = added_below(sent.get(name).unwrap_or(&Value::Null), value)?;
        Some(below(Part::Member(name.clone()), rest))
    })
}

fn added_below(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    match (sent, live) {
        (_, Value::Object(live)) => {
            let none = Map::new();
            let sent = sent.as_object().unwrap_or(&none);
            live.iter()
                .filter(|(name, _)| !ASSIGNED.contains(&name.as_str()))
                .find_map(|(name, value)| {
                    let rest = added_below(sent.get(name).unwrap_or(&Value::Null), value)?;
                    Some(below(Part::Member(name.clone()), rest))
                })
        }
        (Value::Array(sent), Value::Array(live)) if sent.len() == live.len() => {
            let mut items = sent.iter().zip(live).enumerate();
            items.find_map(|(i, (sent, live))| Some(below(Part::Item(i), added_below(sent, live)?)))
        }
        (Value::Null, live) if !is_default(live) => Some(Vec::new()),
        _ => None,
    }
}

/// True for a value that the API server fills in, or that means the same as none.
fn is_default(value: &Value) -> bool {
    let text = value.as_str().unwrap_or("other");
    is_empty(value) || *value == Value::Bool(false) || ["None", "Cluster", "ClusterIP", "SingleStack"].contains(&text)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn below(first: Part, rest: Vec<Part>) -> Vec<Part> {
    std::iter::once(first).chain(rest).collect()
}

fn shown(path: &[Part]) -> String {
    let mut shown = String::new();
    for part in path {
        let _ = match part {
            Part::Item(i) => write!(shown, "[{i}]"),
            Part::Member(name) if !name.chars().all(|c| c.is_ascii_alphanumeric()) => write!(shown, "['{name}']"),
            Part::Member(name) if shown.is_empty() => write!(shown, "{name}"),
            Part::Member(name) => write!(shown, ".{name}"),
        };
    }
    shown
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

/// True if a set of fields has this one, or all of a list or map that it is in.
fn has(fields: &Value, path: &[Part]) -> bool {
    let Some(first) = path.first() else { return true };
    let Part::Member(name) = first else {
        // Items are named by their keys, not by their place.
        return fields.as_object().is_some_and(|fields| !fields.is_empty());
    };
    match fields.get(format!("f:{name}")) {
        Some(Value::Object(rest)) if rest.is_empty() => true,
        Some(rest) => has(rest, path.get(1..).unwrap_or_default()),
        None => false,
    }
}

#[cfg(test)]
mod tests;
