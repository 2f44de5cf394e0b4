//! Linearizability: requests of several clients, and what watchers see of them, have one order that the specification
//! allows, however passes of two operators (a leader and one that does not know it is none any more) fall between them.
//!
//! `record` makes histories of core alone, `watched` takes those of an operator at work from the versions of its links,
//! `check` looks for the order, and `specification` is what it is held against.

mod check;
mod record;
mod specification;
mod watched;

pub use check::linearizable;
pub use record::{Draw, history};
pub use specification::Link;
pub use watched::Watched;

use instancelink_api::{Desired, State, Verb, Verdict};

/// What happened to a link, and what it was before.
#[derive(Clone, Debug)]
pub struct History {
    /// The link as the history begins.
    pub from: Link,
    /// In any order.
    pub events: Vec<Event>,
}

/// An operation of a history, with the interval in which it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was called.
    pub called: u64,
    /// When it returned; [`u64::MAX`] where nobody heard of it.
    pub returned: u64,
    /// What it was.
    pub what: What,
}

/// What an operation was, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A request.
    Request {
        /// The verb; none for a value outside the grammar.
        verb: Option<Verb>,
        /// The id; empty where there is none.
        id: String,
        /// What its client heard.
        answer: Answer,
    },
    /// An edit of what requests are judged by.
    Edited(Edited),
    /// A state written by an operator, with what its acknowledgement said.
    Entered(State),
    /// A reading of the status: state, `seq` and desired of `lastAction`.
    Read(State, u64, Option<Desired>),
    /// Nothing is due any more: whatever was taken was answered.
    Rested,
}

/// What the client of a request heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `lastAction` showed it.
    Told {
        /// Its number.
        seq: u64,
        /// Accepted or not.
        verdict: Verdict,
        /// Another link had the alias: of that the link's own history says nothing.
        rivalled: bool,
    },
    /// Nothing, but it was taken from where it stood.
    Taken,
    /// Nothing: it was overwritten before anybody saw it, or was handled before, and may never have been one.
    None,
}

/// What else a verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edited {
    /// `spec.desiredState` is set.
    pub managed: bool,
    /// `deletionTimestamp` is set.
    pub deleting: bool,
}
