//! What a link remembers of requests (lifecycle#memory-format).

use instancelink_api::{Desired, Phase, Verb, Verdict};

/// How many values with an id are remembered (lifecycle#handled-values).
const REMEMBERED: usize = 16;

/// One copy of the memory: the intent, or `lastAction` without its phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counted from 1.
    pub seq: u64,
    /// The verb, or the value outside the grammar.
    pub action: String,
    /// Accepted or not.
    pub verdict: Verdict,
    /// Why not.
    pub reason: &'static str,
    /// What the last accepted request asked for.
    pub desired: Option<Desired>,
    /// When that last changed.
    pub desired_at: Option<i64>,
    /// When the request was taken.
    pub at: i64,
    /// The place in the queue, where it is not the creation.
    pub since: Option<i64>,
    /// `verb/id`; a value outside the grammar as `#` and itself (its hash is core's own affair).
    pub handled: Vec<String>,
}

/// `lastAction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// What was taken.
    pub record: Record,
    /// How far it has come.
    pub phase: Phase,
    /// When it was there.
    pub completed_at: Option<i64>,
}

/// What an accepted verb asks for.
pub(super) const fn asked(verb: Verb) -> Desired {
    match verb {
        Verb::Activate => Desired::Active,
        Verb::Deactivate | Verb::Restore => Desired::Inactive,
        Verb::Remove => Desired::Removed,
        Verb::Purge => Desired::Purged,
    }
}

/// The record after `last`, as yet of no request.
pub(super) fn after(last: Option<&Record>, at: i64) -> Record {
    let blank = Record {
        seq: 0,
        action: String::new(),
        verdict: Verdict::Accepted,
        reason: "",
        desired: None,
        desired_at: None,
        at,
        since: None,
        handled: Vec::new(),
    };
    let last = last.cloned().unwrap_or(blank);
    Record {
        seq: last.seq + 1,
        action: String::new(),
        verdict: Verdict::Accepted,
        reason: "",
        at,
        ..last
    }
}

impl Record {
    /// The request is the last accepted one from now on, also a no-op (lifecycle#no-op-counts).
    pub(super) fn accept(&mut self, verb: Verb) {
        if self.desired != Some(asked(verb)) {
            self.desired = Some(asked(verb));
            self.desired_at = Some(self.at);
        }
    }

    /// A rejection changes nothing (lifecycle#take-in-one-write).
    pub(super) fn reject(&mut self, reason: &'static str) {
        self.verdict = Verdict::Rejected;
        self.reason = reason;
    }

    /// The oldest of more than sixteen is forgotten (lifecycle#handled-values).
    pub(super) fn remember(&mut self, value: String) {
        self.handled.push(value);
        if self.handled.len() > REMEMBERED {
            self.handled.remove(0);
        }
    }
}
