//! The data plane of a link: what it has in the cluster while it is up, and which writes bring it up or take it down.
//! `lifecycle` decides when.

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;
use jiff::Timestamp;

use crate::child::{Directory, Environment, Object, Slice};
use crate::effect::Effect;
use crate::snapshot::Snapshot;

/// What a link has in the cluster while it is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The source's directory.
    pub directory: Object<Directory>,
    /// At least one, empty if need be.
    pub slices: Vec<Object<Slice>>,
    /// The source's environment as it shall be with this link's entry in it (or without one).
    pub environment: Option<Object<Environment>>,
    /// Endpoints that are ready.
    pub ready: usize,
    /// What the spec asks for and the operator may not write: `Programmed=False/Forbidden`, each with what to do.
    pub forbidden: Vec<String>,
}

/// Why a spec cannot be served: InvalidPorts, AddressingNotPossible or KindNotSupported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unservable {
    /// The condition's reason.
    pub reason: Reason,
    /// What is wrong, why, and what to write instead.
    pub message: String,
}

/// How far taking down has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Down {
    /// Writes that are due now.
    Act(Vec<Effect>),
    /// The names have stopped; the rest goes at this time.
    Draining {
        /// When the names stopped.
        from: Timestamp,
        /// When the rest goes.
        until: Timestamp,
    },
    /// A deletion was refused, or somebody's finalizer holds a child: what is waited for.
    Waiting(String),
    /// Nothing of the link stands, nor anything shared that nobody needs.
    Done,
}

/// What the link has in the cluster while it is up. `older` holds the UIDs of the siblings whose keys in the
/// environment come before this link's.
pub fn build(_snapshot: &Snapshot, _older: &BTreeSet<String>) -> Result<Plan, Unservable> {
    Err(Unservable { reason: Reason::KindNotSupported, message: String::new() })
}
