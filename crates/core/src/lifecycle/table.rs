//! The edges of contract#processes, as data. A test proves that `walk` takes no other, and
//! `docs/reference/states-and-actions.md` is rendered from here.

use instancelink_api::State;

/// One process of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its name in the contract.
    pub name: &'static str,
    /// Its edges, from state to state.
    pub edges: &'static [(State, State)],
}

use State::{
    Activating, Active, Deactivating, Inactive, Purged, Purging, Registering, Removed, Removing, Requested, Restoring,
    UpdatingActive, UpdatingInactive,
};

/// All processes, and so all edges.
pub const TABLE: &[Process] = &[
    Process {
        name: "create",
        edges: &[(Requested, Registering), (Requested, Inactive), (Registering, Inactive)],
    },
    Process {
        name: "activate",
        edges: &[
            (Requested, Activating),
            (Registering, Activating),
            (Inactive, Activating),
            (Activating, Active),
        ],
    },
    Process {
        name: "update",
        edges: &[
            (Active, UpdatingActive),
            (UpdatingActive, Active),
            (Inactive, UpdatingInactive),
            (UpdatingInactive, Inactive),
        ],
    },
    Process {
        name: "deactivate",
        edges: &[
            (Registering, Deactivating),
            (Activating, Deactivating),
            (Active, Deactivating),
            (UpdatingActive, Deactivating),
            (Deactivating, Inactive),
        ],
    },
    Process {
        name: "remove",
        edges: &[
            (Requested, Removing),
            (Registering, Removing),
            (Inactive, Removing),
            (UpdatingInactive, Removing),
            (Removing, Removed),
        ],
    },
    Process {
        name: "restore",
        edges: &[(Removed, Restoring), (Restoring, Inactive)],
    },
    Process {
        name: "purge",
        edges: &[(Removed, Purging), (Purging, Purged)],
    },
    Process {
        name: "delete",
        edges: &[
            (Requested, Purging),
            (Registering, Purging),
            (Deactivating, Purging),
            (Inactive, Purging),
            (UpdatingInactive, Purging),
            (Removing, Purging),
            (Restoring, Purging),
        ],
    },
];

/// True where the table has this edge.
pub fn is_edge(from: State, to: State) -> bool {
    TABLE.iter().any(|process| process.edges.contains(&(from, to)))
}
