//! Which link's turn it is: plain data and the time as an argument, so that every rule can be tested without waiting.
//!
//! A link is in the queue at most once, passes over one link never overlap, and neither do passes over links of one
//! source: shared children and the right to an alias are decided one link at a time. Turns are first come, first served
//! within a namespace, and namespaces take turns. A link may give way to others of its source that are due, so that what
//! they share is written once.

mod due;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use due::{Due, Next};

use super::backoff;
use instancelink_cluster::{Cause, LinkKey, SourceKey};

/// After so long without a repair, the next one is the first again.
const PEACE: Duration = Duration::from_mins(1);

/// How a pass ended, as far as the next one is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is due until then, or until something changes.
    Settled(Option<Duration>),
    /// The same, and a child that somebody else deleted was made again.
    Repaired(Option<Duration>),
    /// A child was refused: again with growing patience, or then, whichever is sooner.
    Refused(Option<Duration>),
    /// Somebody wrote in between: again soon, or at once when the watch brings it.
    Conflict,
    /// A failure that mends itself; not before so long, where the API server asked for that.
    Failed(Option<Duration>),
    /// It waits for others of its source, whose turn it is: again after them.
    GaveWay,
    /// The link is gone.
    Gone,
}

/// A link whose turn it is.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) key: LinkKey,
    /// How long it was due.
    pub(crate) waited: Duration,
    /// When a change of its endpoints was first seen.
    pub(crate) endpoints_since: Option<Instant>,
    /// Its source, whose other links have no turn meanwhile.
    pub(crate) source: Option<SourceKey>,
    /// It gave way when it had its last turn.
    pub(crate) gave_way: bool,
    /// Other links of its source gave way, and rely on it.
    pub(crate) others_gave_way: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Idle,
    Due(Option<Instant>),
    Running,
}

#[derive(Debug, Default)]
struct Entry {
    place: Place,
    /// Asked for again while its pass runs.
    again: bool,
    timer: Option<Instant>,
    /// The API server asked us to stay away until then.
    not_before: Option<Instant>,
    endpoints_since: Option<Instant>,
    failures: u32,
    refusals: u32,
    /// Repairs with less than [`PEACE`] between them, and when the last one was.
    repairs: u32,
    repaired: Option<Instant>,
}

impl Entry {
    /// Whether the last repair is still remembered.
    fn is_at_peace(&self, now: Instant) -> bool {
        self.repaired
            .is_none_or(|last| now.saturating_duration_since(last) >= PEACE)
    }
}

/// Entries for which there may always be room.
const ROOM: usize = 64;

/// All links that are due, running or wait for a time.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    entries: HashMap<LinkKey, Entry>,
    due: Due,
    timers: BTreeSet<(Instant, LinkKey)>,
    running: usize,
}

impl Schedule {
    /// Something about a link changed. That also ends its patience with refusals.
    pub(super) fn add(&mut self, key: &LinkKey, cause: Cause, now: Instant) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.refusals = 0;
        if cause == Cause::Endpoints {
            entry.endpoints_since.get_or_insert(now);
        }
        match entry.place {
            Place::Running => entry.again = true,
            Place::Due(_) => {}
            Place::Idle => match entry.not_before {
                Some(when) if when > now => self.set_timer(key, when),
                _ => self.make_due(key, now),
            },
        }
    }

    /// The next link whose turn it is.
    pub(super) fn pop(&mut self, now: Instant, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) -> Option<Turn> {
        self.fire(now);
        while let Some(Next { key, source, gave_way }) = self.due.pop(&source_of) {
            if let Some(entry) = self.entries.get_mut(&key)
                && let Place::Due(since) = entry.place
            {
                entry.place = Place::Running;
                self.running += 1;
                return Some(Turn {
                    waited: now.saturating_duration_since(since.unwrap_or(now)),
                    endpoints_since: entry.endpoints_since.take(),
                    others_gave_way: source.as_ref().is_some_and(|source| self.due.any_gave_way(source)),
                    key,
                    source,
                    gave_way,
                });
            }
            if let Some(source) = &source {
                self.due.release(source);
            }
        }
        None
    }

    /// Whether the link that has this turn may give way: others of its source are due, and it did not do so before.
    pub(super) fn may_give_way(&self, turn: &Turn) -> bool {
        let source = turn.source.as_ref().filter(|_| !turn.gave_way);
        source.is_some_and(|source| self.due.may_give_way(source))
    }

    /// A pass ended.
    pub(super) fn finish(&mut self, turn: &Turn, ending: Ending, now: Instant) {
        self.running = self.running.saturating_sub(1);
        let key = &turn.key;
        if let Some(source) = &turn.source {
            if ending == Ending::GaveWay {
                self.due.give_way(source, key.clone());
            }
            self.due.release(source);
        }
        let Some(entry) = self.entries.get_mut(key) else { return };
        if ending == Ending::GaveWay && turn.source.is_some() {
            (entry.place, entry.again) = (Place::Due(Some(now)), false);
            return;
        }
        entry.place = Place::Idle;
        let again = std::mem::take(&mut entry.again);
        let wake = match ending {
            Ending::Gone if !again => {
                self.entries.remove(key);
                return;
            }
            Ending::Gone => None,
            // Only a link with a source gives way, and that one is due already.
            Ending::GaveWay => Some(Duration::ZERO),
            Ending::Settled(wake) => {
                (entry.failures, entry.refusals, entry.not_before) = (0, 0, None);
                if entry.is_at_peace(now) {
                    entry.repairs = 0;
                }
                wake
            }
            // Whoever deletes it will do so again, be it the garbage collector that knows of an owner's end before the
            // caches do: who answers at once keeps both busy for as long as that lasts.
            Ending::Repaired(wake) => {
                entry.repairs = if entry.is_at_peace(now) {
                    1
                } else {
                    entry.repairs.saturating_add(1)
                };
                (entry.failures, entry.refusals, entry.repaired) = (0, 0, Some(now));
                let patience = backoff::after_repair(key, entry.repairs);
                entry.not_before = patience.map(|patience| now + patience);
                let look = patience.unwrap_or(PEACE);
                Some(wake.map_or(look, |wake| wake.min(look)))
            }
            Ending::Refused(wake) => {
                (entry.failures, entry.not_before) = (0, None);
                entry.refusals = entry.refusals.saturating_add(1);
                let patience = backoff::after_refusal(key, entry.refusals);
                Some(wake.map_or(patience, |wake| wake.min(patience)))
            }
            Ending::Conflict => {
                entry.failures = entry.failures.saturating_add(1);
                entry.not_before = None;
                Some(backoff::after_failure(key, entry.failures))
            }
            Ending::Failed(asked) => {
                entry.failures = entry.failures.saturating_add(1);
                let delay = backoff::after_failure(key, entry.failures).max(asked.unwrap_or_default());
                entry.not_before = Some(now + delay);
                Some(delay)
            }
        };
        let may_run = self
            .entries
            .get(key)
            .is_some_and(|e| e.not_before.is_none_or(|t| t <= now));
        if again && may_run {
            self.make_due(key, now);
        } else if let Some(wake) = wake {
            self.set_timer(key, now + wake);
        } else {
            self.forget_if_idle(key);
        }
    }

    /// Keeps passes over links of a source away, if none runs.
    pub(super) fn hold(&mut self, source: &SourceKey) -> bool {
        self.due.hold(source)
    }

    /// Lets passes over links of a source go on.
    pub(super) fn let_go(&mut self, source: &SourceKey) {
        self.due.release(source);
    }

    /// When the next timer fires.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(when, _)| *when)
    }

    /// How many passes run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// How many links wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn fire(&mut self, now: Instant) {
        while let Some((when, _)) = self.timers.first()
            && *when <= now
            && let Some((_, key)) = self.timers.pop_first()
        {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.timer = None;
            }
            self.make_due(&key, now);
        }
    }

    fn make_due(&mut self, key: &LinkKey, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.place != Place::Idle {
            return;
        }
        entry.place = Place::Due(Some(now));
        if let Some(when) = entry.timer.take() {
            self.timers.remove(&(when, key.clone()));
        }
        self.due.push(key.clone());
    }

    fn set_timer(&mut self, key: &LinkKey, when: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(before) = entry.timer.replace(when) {
            self.timers.remove(&(before, key.clone()));
        }
        self.timers.insert((when, key.clone()));
    }

    fn forget_if_idle(&mut self, key: &LinkKey) {
        if self
            .entries
            .get(key)
            .is_some_and(|e| e.place == Place::Idle && e.timer.is_none() && e.repairs == 0)
        {
            self.entries.remove(key);
            // All links come at once when the operator starts; the room that takes is not kept until they come again.
            let (left, room) = (self.entries.len(), self.entries.capacity());
            if room > ROOM && left < room / 8 {
                self.entries.shrink_to(left * 2);
            }
        }
    }
}

#[cfg(test)]
mod tests;
