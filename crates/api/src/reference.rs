//! References to instances: the two ends of a link. Each reference is written as a whole: server-side apply by two clients never
//! makes a reference of fields of both (contract#atomic-references).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The instance that uses the alias, in the link's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct InstanceRef {
    /// API version of the instance, such as `argoproj.io/v1alpha1`. Optional for Deployment, StatefulSet, DaemonSet,
    /// ReplicaSet, Job, CronJob and Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 317))]
    pub api_version: Option<String>,
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod, or another kind with a scale subresource.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name of the instance.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The instance that the alias resolves to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct TargetRef {
    /// API version of the instance, such as `argoproj.io/v1alpha1`. Optional for Deployment, StatefulSet, DaemonSet,
    /// ReplicaSet, Pod and Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 317))]
    pub api_version: Option<String>,
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod, Service, or another kind with a scale subresource.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name of the instance.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Namespace of the instance. If unset, the link's own. Another namespace has to consent with an `InstanceLinkGrant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// The group of an `apiVersion`; empty for the core group.
pub fn group_in(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The default `apiVersion` of a kind that the operator knows; `None` for other kinds.
pub fn default_api_version(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => Some("apps/v1"),
        "Job" | "CronJob" => Some("batch/v1"),
        "Pod" | "Service" => Some("v1"),
        _ => None,
    }
}

impl InstanceRef {
    /// True where both have the same kind, in any version.
    pub fn is_of_the_kind_of(&self, other: &Self) -> bool {
        self.kind == other.kind && group_in(self.api_version()) == group_in(other.api_version())
    }

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

    /// The reference with its defaults filled in. Two references are the same where these are equal.
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
