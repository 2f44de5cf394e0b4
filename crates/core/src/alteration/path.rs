//! Places in an object as JSON.

use std::fmt::Write as _;

use serde_json::Value;

/// The name of a member, or the index of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Member(String),
    Item(usize),
}

/// A path that begins with one more part.
pub(super) fn below(first: Part, rest: Vec<Part>) -> Vec<Part> {
    std::iter::once(first).chain(rest).collect()
}

/// The path as people write it, such as `metadata.labels['app']`.
pub(super) fn shown(path: &[Part]) -> String {
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

/// True if a set of fields has this one, or all of a list or map that it is in.
pub(super) fn has(fields: &Value, path: &[Part]) -> bool {
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

/// True for a value that means the same as none.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
