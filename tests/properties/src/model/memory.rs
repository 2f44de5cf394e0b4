//! The memory of a link (lifecycle#memory-format).

use instancelink_api::{Desired, Phase, Verb, Verdict};

/// Number of values with an id that are remembered (lifecycle#handled-values).
const REMEMBERED: usize = 16;

/// One copy of the memory: the intent, or `lastAction` without its phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counted from 1.
    pub seq: u64,
    /// The verb, or the value outside the grammar.
    pub action: String,
    /// Accepted or rejected.
    pub verdict: Verdict,
    /// The reason for a rejection.
    pub reason: &'static str,
    /// The desired state of the last accepted request.
    pub desired: Option<Desired>,
    /// When `desired` last changed.
    pub desired_at: Option<i64>,
    /// When the request was taken.
    pub at: i64,
    /// The time that counts in the alias queue, if it is not the creation.
    pub since: Option<i64>,
    /// `verb/id`; a value outside the grammar as `#` and the value itself, in place of its hash.
    pub handled: Vec<String>,
}

/// `lastAction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The request.
    pub record: Record,
    /// Its phase.
    pub phase: Phase,
    /// When it completed.
    pub completed_at: Option<i64>,
}

/// The desired state of an accepted verb.
pub(super) const fn asked(verb: Verb) -> Desired {
    match verb {
        Verb::Activate => Desired::Active,
        Verb::Deactivate | Verb::Restore => Desired::Inactive,
        Verb::Remove => Desired::Removed,
        Verb::Purge => Desired::Purged,
    }
}

/// The record after `last`, without a request yet.
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
    /// The request is accepted; this counts for a no-op too (lifecycle#no-op-counts).
    pub(super) fn accept(&mut self, verb: Verb) {
        if self.desired != Some(asked(verb)) {
            self.desired = Some(asked(verb));
            self.desired_at = Some(self.at);
        }
    }

    /// The request is rejected.
    pub(super) fn reject(&mut self, reason: &'static str) {
        self.verdict = Verdict::Rejected;
        self.reason = reason;
    }

    /// Remembers a value. The oldest of more than sixteen is dropped (lifecycle#handled-values).
    pub(super) fn remember(&mut self, value: String) {
        self.handled.push(value);
        if self.handled.len() > REMEMBERED {
            self.handled.remove(0);
        }
    }
}
