//! References to instances: the two ends of a link.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The instance that uses the alias, in the link's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRef {
    /// API version of the instance; may be left out for the kinds named below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 317))]
    pub api_version: Option<String>,
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name of the instance.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The instance the alias leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// API version of the instance; may be left out for the kinds named below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 317))]
    pub api_version: Option<String>,
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod or Service.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name of the instance.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Namespace of the instance; left out, the link's own. Another one needs consent there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// The `apiVersion` that a kind known to the operator has when none is written; `None` for other kinds.
pub fn default_api_version(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => Some("apps/v1"),
        "Pod" | "Service" => Some("v1"),
        _ => None,
    }
}

impl InstanceRef {
    /// `apiVersion` with the default filled in; empty for an unknown kind that names none.
    pub fn api_version(&self) -> &str {
        self.api_version
            .as_deref()
            .or_else(|| default_api_version(&self.kind))
            .unwrap_or_default()
    }
}

impl TargetRef {
    /// `apiVersion` with the default filled in; empty for an unknown kind that names none.
    pub fn api_version(&self) -> &str {
        self.api_version
            .as_deref()
            .or_else(|| default_api_version(&self.kind))
            .unwrap_or_default()
    }

    /// The reference with its defaults filled in: what is compared when an edit is to be told from a respelling.
    #[must_use]
    pub fn normalized(&self, link_namespace: &str) -> Self {
        Self {
            api_version: Some(self.api_version().to_owned()),
            kind: self.kind.clone(),
            name: self.name.clone(),
            namespace: Some(self.namespace.clone().unwrap_or_else(|| link_namespace.to_owned())),
        }
    }
}
