//! The thirteen states of the `instanceLink` of Rancher 1.x.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Created; the operator has not seen it yet.
    #[default]
    Requested,
    /// Waiting for its source or its alias.
    Registering,
    /// The operator creates its objects.
    Activating,
    /// The alias resolves to the target's ready endpoints.
    Active,
    /// The operator updates its objects to a changed spec.
    UpdatingActive,
    /// The operator deletes its objects.
    Deactivating,
    /// Without objects in the cluster; its alias is kept.
    Inactive,
    /// The operator records an edit of an inactive link.
    UpdatingInactive,
    /// On its way to removed.
    Removing,
    /// Softly deleted: the alias is free, and `restore` brings the link back.
    Removed,
    /// On its way from removed to inactive.
    Restoring,
    /// On its way to purged.
    Purging,
    /// Scrubbed; the object is deleted after `ttlSecondsAfterPurged`.
    Purged,
}

impl State {
    /// All states, in the order of a link's life.
    pub const ALL: [Self; 13] = [
        Self::Requested,
        Self::Registering,
        Self::Activating,
        Self::Active,
        Self::UpdatingActive,
        Self::Deactivating,
        Self::Inactive,
        Self::UpdatingInactive,
        Self::Removing,
        Self::Removed,
        Self::Restoring,
        Self::Purging,
        Self::Purged,
    ];

    /// The name in `status.state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Registering => "registering",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::UpdatingActive => "updating-active",
            Self::Deactivating => "deactivating",
            Self::Inactive => "inactive",
            Self::UpdatingInactive => "updating-inactive",
            Self::Removing => "removing",
            Self::Removed => "removed",
            Self::Restoring => "restoring",
            Self::Purging => "purging",
            Self::Purged => "purged",
        }
    }

    /// True in the eight -ing states, in which `status.transitioning` is `yes` or `error`.
    pub const fn is_transitional(self) -> bool {
        match self {
            Self::Registering
            | Self::Activating
            | Self::UpdatingActive
            | Self::Deactivating
            | Self::UpdatingInactive
            | Self::Removing
            | Self::Restoring
            | Self::Purging => true,
            Self::Requested | Self::Active | Self::Inactive | Self::Removed | Self::Purged => false,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
