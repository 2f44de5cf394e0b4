//! Linearizability: requests of several clients, and what watchers see of them, have one order that the specification
//! allows, however passes of two operators (a leader and one that does not know it is none any more) fall between them.
//!
//! `record` makes histories, `check` looks for the order.

mod check;
mod record;

pub use check::linearizable;
pub use record::{Draw, history};

use instancelink_api::{Desired, State, Verb, Verdict};

/// An operation of a history, with the interval in which it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was called.
    pub called: u32,
    /// When it returned; the history's end where nobody heard of it.
    pub returned: u32,
    /// What it was.
    pub what: What,
}

/// What an operation was, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A request; its answer, where `lastAction` showed one.
    Request {
        /// The verb.
        verb: Verb,
        /// The id.
        id: u8,
        /// Its `seq` and verdict.
        answer: Option<(u64, Verdict)>,
    },
    /// A state written by an operator, with what its acknowledgement said.
    Entered(State),
    /// A reading of the status: state, `seq` and desired of `lastAction`.
    Read(State, u64, Option<Desired>),
}
