//! `status`: the fifteen fields of Rancher 1.x under their own names, and those that Kubernetes users need.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LastAction, State, TargetRef, Verb};

/// Whether the link is on its way to another state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transitioning {
    /// In one of the eight -ing states.
    Yes,
    /// At rest, or not seen by the operator yet.
    #[default]
    No,
    /// In an -ing state that cannot go on by itself; `transitioningMessage` says what to do.
    Error,
}

/// One state that the link entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The state entered.
    pub state: State,
    /// When it was entered.
    pub at: MicroTime,
    /// Why the link entered it: an action, `create`, `spec`, `delete`, the reason of a hold, or `done`.
    #[serde(default)]
    pub cause: String,
}

/// The link's binding Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BindingStatus {
    /// Name of the Secret.
    pub name: String,
}

/// The observed state of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceLinkStatus {
    /// A stable 52-bit hash of the UID. Absent until the operator has seen the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Always `instanceLink`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The display name of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The state of the link.
    #[serde(default)]
    pub state: State,
    /// UID of the source. Absent where the source does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// UID of the target. Absent where the target does not exist, is not set or is not permitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_instance_id: Option<String>,
    /// The alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_name: Option<String>,
    /// UID of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// When the link was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// The description of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the link was removed. Absent unless it is removed or purged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Time>,
    /// Whether the link is on its way to another state: yes, no, or error where it needs help.
    #[serde(default)]
    pub transitioning: Transitioning,
    /// What the operator does for the link now, or what the link waits for. Absent at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitioning_message: Option<String>,
    /// Percentage that remains of the transition: 100 at its start, and falling. Absent at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitioning_progress: Option<i32>,
    /// `metadata.uid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,

    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The alias as a fully qualified DNS name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// The target that the alias resolves to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub target: Option<TargetRef>,
    /// Hash of the six spec fields that start an update, as they were when the link last became active or inactive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed_hash: Option<String>,
    /// The actions that change something now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub available_actions: Vec<Verb>,
    /// The last action that was taken, and its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub last_action: Option<LastAction>,
    /// The last states, the newest at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<HistoryEntry>,
    /// The link's binding Secret, where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub binding: Option<BindingStatus>,
    /// Accepted, `ResolvedRefs`, Programmed, Available and Ready. Enforced where it is known whether the source can connect
    /// without the link. Verified while active, once the DNS was asked. Reconciling, Stalled, `AliasShadowed` and `HoldDelayed`
    /// only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
