//! Access to the metadata of an object of any kind. The object is a JSON value.

use serde_json::{Map, Value};

/// Access to `metadata`.
pub trait Meta {
    /// A string field of `metadata`; empty if it is missing.
    fn meta(&self, field: &str) -> &str;
    /// The labels.
    fn labels(&self) -> Option<&Map<String, Value>>;
    /// The finalizers.
    fn finalizers(&self) -> Vec<&str>;
    /// True if it has a deletion timestamp.
    fn is_terminating(&self) -> bool;
    /// `metadata`, created if it is missing.
    fn metadata(&mut self) -> &mut Map<String, Value>;
    /// The resource version as a number.
    fn version(&self) -> u64;
    /// UIDs of the owners.
    fn owners(&self) -> Vec<&str>;
}

impl Meta for Value {
    fn meta(&self, field: &str) -> &str {
        self["metadata"][field].as_str().unwrap_or_default()
    }

    fn labels(&self) -> Option<&Map<String, Value>> {
        self["metadata"]["labels"].as_object()
    }

    fn finalizers(&self) -> Vec<&str> {
        let list = self["metadata"]["finalizers"].as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn is_terminating(&self) -> bool {
        !self.meta("deletionTimestamp").is_empty()
    }

    fn metadata(&mut self) -> &mut Map<String, Value> {
        if !self["metadata"].is_object() {
            self["metadata"] = Value::Object(Map::new());
        }
        self["metadata"].as_object_mut().unwrap()
    }

    fn version(&self) -> u64 {
        self.meta("resourceVersion").parse().unwrap_or(0)
    }

    fn owners(&self) -> Vec<&str> {
        let list = self["metadata"]["ownerReferences"].as_array();
        list.into_iter().flatten().filter_map(|o| o["uid"].as_str()).collect()
    }
}
