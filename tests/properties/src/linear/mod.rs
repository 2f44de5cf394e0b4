//! Linearizability: the requests of several clients, and what watchers see of them, have one order that the
//! specification allows, for any interleaving with the passes of two operators (a leader, and one that does not know
//! that it lost the lease).
//!
//! `record` generates histories with core alone, `watched` builds them from the versions of a real operator's links,
//! `check` searches for the order, and `specification` is the specification.

mod check;
mod record;
mod specification;
mod watched;

pub use check::linearizable;
pub use record::{Action, history};
pub use specification::Link;
pub use watched::Watched;

use instancelink_api::{Desired, State, Verb, Verdict};

/// What happened to a link.
#[derive(Clone, Debug)]
pub struct History {
    /// The link at the start.
    pub from: Link,
    /// The events, in any order.
    pub events: Vec<Event>,
}

/// An event of a history, with the interval in which it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The start of the interval.
    pub called: u64,
    /// The end of the interval; [`u64::MAX`] if it got no answer.
    pub returned: u64,
    /// Its kind.
    pub kind: EventKind,
}

/// The kind of an event, with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A request.
    Request {
        /// The verb; none for a value outside the grammar.
        verb: Option<Verb>,
        /// The id; may be empty.
        id: String,
        /// Its answer.
        answer: Answer,
    },
    /// An edit of the facts that a verdict depends on.
    Edited(Edited),
    /// A status write of an operator, with its state.
    Entered(State),
    /// A read of the status: state, and `seq` and desired of `lastAction`.
    Read(State, u64, Option<Desired>),
    /// Nothing is due: every request that was taken is answered.
    Rested,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `lastAction` showed it.
    Shown {
        /// Its number.
        seq: u64,
        /// Accepted or rejected.
        verdict: Verdict,
        /// Another link had the alias. The link's own history does not show this.
        rivalled: bool,
    },
    /// None, but an operator removed its annotation.
    Taken,
    /// None: it was overwritten or handled before, so it need not be in the order.
    None,
}

/// Other facts that a verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edited {
    /// `spec.desiredState` is set.
    pub managed: bool,
    /// `deletionTimestamp` is set.
    pub deleting: bool,
}
