//! Manifests of links: the minimum that a user must write, and what a test adds.

use instancelink_api::keys;
use serde_json::{Value, json};

/// The manifest of a link, as a builder.
#[derive(Clone, Debug)]
pub struct LinkManifest(Value);

/// A link of `source` to `target` (each `Kind/name`) under an alias.
pub fn link(name: &str, alias: &str, source: &str, target: &str) -> LinkManifest {
    LinkManifest(json!({
        "apiVersion": keys::API_VERSION,
        "kind": keys::KIND,
        "metadata": { "name": name },
        "spec": { "linkName": alias, "instanceRef": reference(source), "targetInstanceRef": reference(target) },
    }))
}

/// `Kind/name` as a reference.
pub fn reference(text: &str) -> Value {
    let (kind, name) = text
        .split_once('/')
        .unwrap_or_else(|| panic!("{text} is not Kind/name"));
    json!({ "kind": kind, "name": name })
}

impl LinkManifest {
    /// Sets a field of the spec. Null removes it.
    #[must_use]
    pub fn spec(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0["spec"][field] = value.into();
        self
    }

    /// Removes the target.
    #[must_use]
    pub fn without_target(self) -> Self {
        self.spec("targetInstanceRef", Value::Null)
    }

    /// Sets an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["annotations"][key] = value.into();
        self
    }

    /// Sets the action annotation.
    #[must_use]
    pub fn action(self, value: &str) -> Self {
        self.annotation(keys::ACTION, value)
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The manifest as JSON.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// The manifest as YAML, for the standard input of kubectl.
    pub fn to_yaml(&self) -> String {
        serde_yaml_ng::to_string(&self.0).expect("JSON is YAML")
    }
}

impl From<Value> for LinkManifest {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
