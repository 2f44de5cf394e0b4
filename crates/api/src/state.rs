//! The thirteen states of the ancestor's `instanceLink`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Created; the operator has not looked at it yet.
    #[default]
    Requested,
    /// Waits for its source, or for its alias.
    Registering,
    /// Its data plane is being written.
    Activating,
    /// The alias answers with the target's ready endpoints.
    Active,
    /// A changed target, ports or outputs are being written.
    UpdatingActive,
    /// Its data plane is being taken away.
    Deactivating,
    /// Parked: nothing of it is in the cluster, its alias is kept.
    Inactive,
    /// An edit of an inactive link is being taken note of.
    UpdatingInactive,
    /// On its way to removed.
    Removing,
    /// Softly deleted: the alias is free, `restore` brings it back.
    Removed,
    /// On its way from removed to inactive.
    Restoring,
    /// On its way to purged.
    Purging,
    /// Scrubbed; the object itself goes after its ttl.
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

    /// The name that stands in `status.state`.
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
