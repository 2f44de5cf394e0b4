//! `status`: the fifteen fields of the ancestor under their own names, and what Kubernetes adds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LastAction, State, TargetRef, Verb};

/// Whether the link is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transitioning {
    /// In one of the eight -ing states.
    Yes,
    /// At rest, or not looked at yet.
    #[default]
    No,
    /// In an -ing state that cannot go on by itself; the message says what to do.
    Error,
}

/// One state the link passed through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The state entered.
    pub state: State,
    /// When it was entered.
    pub at: MicroTime,
    /// What made the link enter it: a verb, `spec`, `delete`, a hold's reason, or `done`.
    #[serde(default)]
    pub cause: String,
}

/// Where the link's binding Secret is.
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
    /// A stable 52-bit hash of the UID; 0 until the operator has seen the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Always `instanceLink`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The display name of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the link is in its life.
    #[serde(default)]
    pub state: State,
    /// UID of the source; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// UID of the target; absent where there is none.
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
    /// When the link was removed; absent unless it is removed or purged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Time>,
    /// Whether the link is on its way.
    #[serde(default)]
    pub transitioning: Transitioning,
    /// What it is doing, or what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitioning_message: Option<String>,
    /// Percentage that remains, 100 on entry and falling; absent at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitioning_progress: Option<i32>,
    /// `metadata.uid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,

    /// The generation of the spec this status answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The alias as a fully qualified DNS name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// The reference that is programmed now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub target: Option<TargetRef>,
    /// Hash of the six fields an update is about, as they were when the link last came to rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed_hash: Option<String>,
    /// The actions that would change something now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub available_actions: Vec<Verb>,
    /// The last request that was taken, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub last_action: Option<LastAction>,
    /// The last states, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<HistoryEntry>,
    /// Where the link's binding Secret is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub binding: Option<BindingStatus>,
    /// Accepted, `ResolvedRefs`, Programmed, Available, Ready; Reconciling and Stalled while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
