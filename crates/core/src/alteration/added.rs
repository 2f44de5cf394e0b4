//! What others added to an object beside what was sent.

use serde_json::{Map, Value};

use super::path::{Part, below, is_empty};
use crate::child::{is_our_annotation, is_our_label};

/// Fields that the API server sets in a Service where none are sent.
const ASSIGNED: [&str; 4] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];
/// The cluster IP of a Service that has no address.
const HEADLESS: &str = "None";

/// Members that are not part of the content, or that belong to others (contract#additions).
const BESIDE: [&str; 5] = ["metadata", "status", "apiVersion", "kind", "binaryData"];

/// The path to the first value that was not sent, and is neither a default nor an addition that others may make.
pub(super) fn added(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    added_owners(sent, live)
        .or_else(|| added_member("labels", is_our_label, sent, live))
        .or_else(|| added_member("annotations", is_our_annotation, sent, live))
        .or_else(|| lost_address(sent, live))
        .or_else(|| added_content(sent, live))
}

/// The owners of an object that must have none.
fn added_owners(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    const OWNERS: &str = "/metadata/ownerReferences";
    let has = |object: &Value| object.pointer(OWNERS).is_some_and(|owners| !is_empty(owners));
    (has(live) && !has(sent)).then(|| path(["metadata", "ownerReferences"]))
}

/// The address of a Service that became headless.
fn lost_address(sent: &Value, live: &Value) -> Option<Vec<Part>> {
    let is_headless = |object: &Value| object.pointer("/spec/clusterIP").is_some_and(|ip| *ip == HEADLESS);
    (is_headless(live) && !is_headless(sent)).then(|| path(["spec", "clusterIP"]))
}

/// The path to the first label or annotation that was not sent, although its key is one of the operator's own.
fn added_member(map: &str, is_own: fn(&str) -> bool, sent: &Value, live: &Value) -> Option<Vec<Part>> {
    let of = |object: &'_ Value| object.get("metadata")?.get(map)?.as_object().cloned();
    let sent = of(sent).unwrap_or_default();
    let mut names = of(live)?.into_iter().map(|(name, _)| name);
    let name = names.find(|name| is_own(name) && !sent.contains_key(name))?;
    Some(path(["metadata", map, name.as_str()]))
}

/// The path to the first value in the content that was not sent and is no default.
fn added_content(sent: &Value, live: &Value) -> Option<Vec<Part>> {
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

fn path<const N: usize>(names: [&str; N]) -> Vec<Part> {
    names.map(|name| Part::Member(name.to_owned())).to_vec()
}
