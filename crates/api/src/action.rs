//! Actions: what users may ask for, and the two copies of the last request (the intent and `lastAction`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The five actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Make the alias resolve.
    Activate,
    /// Make the alias resolve no longer.
    Deactivate,
    /// Delete the link softly; its alias becomes free.
    Remove,
    /// Bring a removed link back, inactive.
    Restore,
    /// Scrub a removed link; this cannot be undone.
    Purge,
}

impl Verb {
    /// All verbs, in the order of the action table (contract#action-table).
    pub const ALL: [Self; 5] = [
        Self::Activate,
        Self::Deactivate,
        Self::Remove,
        Self::Restore,
        Self::Purge,
    ];

    /// The verb as it is written in the annotation and in RBAC rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Remove => "remove",
            Self::Restore => "restore",
            Self::Purge => "purge",
        }
    }

    /// The resting state an accepted request of this verb asks for.
    pub const fn desired(self) -> Desired {
        match self {
            Self::Activate => Desired::Active,
            Self::Deactivate | Self::Restore => Desired::Inactive,
            Self::Remove => Desired::Removed,
            Self::Purge => Desired::Purged,
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The resting state that the last accepted action asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Desired {
    /// The alias resolves.
    Active,
    /// The alias does not resolve.
    Inactive,
    /// Softly deleted.
    Removed,
    /// Scrubbed.
    Purged,
}

/// The operator's answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// It decides until the next accepted request.
    Accepted,
    /// It changed nothing.
    Rejected,
}

/// How far an acknowledged request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// On its way.
    Accepted,
    /// The state that it asked for was reached.
    Completed,
    /// It was rejected.
    Rejected,
    /// A spec edit or a delete overtook it.
    Superseded,
}

/// The value of the intent annotation: the last request that was taken, and what the link remembers of earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Number of the request, counted from 1; at most 2^53.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992_u64), extend("format" = "int64"))]
    pub seq: u64,
    /// The verb. Of a value that is not an action, its first 80 printable characters.
    pub action: String,
    /// The id after the verb; empty without one.
    #[serde(default)]
    pub id: String,
    /// Accepted or Rejected.
    pub verdict: Verdict,
    /// Why it was rejected (`CamelCase`); empty if it was accepted.
    #[serde(default)]
    pub reason: String,
    /// The state that the last accepted action asked for; null before the first one.
    #[serde(default)]
    pub desired: Option<Desired>,
    /// When `desired` last changed.
    #[serde(default)]
    pub desired_at: Option<MicroTime>,
    /// When the request was taken.
    pub at: MicroTime,
    /// Since when the link claims its alias, where that is not its creation time.
    #[serde(default)]
    pub since: Option<MicroTime>,
    /// Field manager that wrote the annotation; empty if unknown. It is a label and not an identity.
    #[serde(default)]
    pub manager: String,
    /// `namespace/name` of the link, so that a copy under another name starts without a memory.
    pub link: String,
    /// The last 16 values with an id; of a value that is not an action, `#` and its hash.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub handled: Vec<String>,
}

/// `status.lastAction`: the intent as acknowledged, with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastAction {
    /// The request itself.
    #[serde(flatten)]
    pub intent: Intent,
    /// What was done, or why it was rejected and what to do instead.
    #[serde(default)]
    pub message: String,
    /// How far the action has come.
    pub phase: Phase,
    /// When the state that it asked for was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<MicroTime>,
}
