//! Which link has the next pass. Plain data with the time as an argument, so that tests do not wait.
//!
//! A link is in the queue at most once. Passes over one link never overlap, and neither do passes over links of one source:
//! shared children and the right to an alias are decided one link at a time (`lifecycle#decide-under-source-lock`). Within a
//! namespace the order is first in, first out; namespaces take turns. A link may yield to others of its source that are due,
//! so that their shared environment is written once.

mod fair_queue;
mod unseen;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use instancelink_cluster::{Cause, LinkKey, SourceKey};
use tokio::time::Instant;

use fair_queue::{FairQueue, Next};
use unseen::Unseen;

use crate::backoff;

/// How a pass ended, which decides when the next one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is due before this time, unless something changes.
    Settled(Option<Duration>),
    /// A child was refused: retry with growing delays, or at this time if that is sooner.
    Refused(Option<Duration>),
    /// A child was refused, and no event will tell when that ends: retry every few seconds, or at this time if that is sooner.
    RefusedUnseen(Option<Duration>),
    /// Another client wrote in between: retry soon, or at once when the watch shows its write.
    Conflict,
    /// A transient failure: retry, but not before this time if the API server asked for it.
    Failed(Option<Duration>),
    /// It yielded to other links of its source: the next turn comes after theirs.
    Yielded,
    /// The link is gone.
    Gone,
}

/// A link whose pass may run.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) key: LinkKey,
    /// How long it waited.
    pub(crate) waited: Duration,
    /// When a change of its endpoints was first seen.
    pub(crate) endpoints_since: Option<Instant>,
    /// How many passes in a row were refused before, with no change in between.
    pub(crate) refusals: u32,
    /// Its source. No other link of the source has a turn at the same time.
    pub(crate) source: Option<SourceKey>,
    /// It yielded in its last turn.
    pub(crate) yielded: bool,
    /// Other links of its source yielded and wait for it.
    pub(crate) others_yielded: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum QueueState {
    #[default]
    Idle,
    /// It waits for a turn, since this time.
    Due(Instant),
    Running,
}

#[derive(Debug, Default)]
struct Entry {
    state: QueueState,
    /// Something changed while its pass runs: another pass follows.
    requested_again: bool,
    timer: Option<Instant>,
    /// No pass starts before this time.
    not_before: Option<Instant>,
    endpoints_since: Option<Instant>,
    failures: u32,
    refusals: u32,
}

/// A capacity that is never given back.
const MIN_CAPACITY: usize = 64;

/// All links that are due, run, or wait for a timer.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    entries: HashMap<LinkKey, Entry>,
    due: FairQueue,
    timers: BTreeSet<(Instant, LinkKey)>,
    running: usize,
    /// Links whose last pass was [`Ending::RefusedUnseen`].
    unseen: Unseen,
}

impl Schedule {
    /// Something about a link changed. The count of its refusals starts again.
    pub(super) fn add(&mut self, key: &LinkKey, cause: Cause, now: Instant) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.refusals = 0;
        if cause == Cause::Endpoints {
            entry.endpoints_since.get_or_insert(now);
        }
        match entry.state {
            QueueState::Running => entry.requested_again = true,
            QueueState::Due(_) => {}
            QueueState::Idle => match entry.not_before {
                Some(when) if when > now => self.set_timer(key, when),
                _ => self.make_due(key, now),
            },
        }
    }

    /// Starts the next turn.
    pub(super) fn pop(&mut self, now: Instant, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) -> Option<Turn> {
        self.fire_timers(now);
        while let Some(Next { key, source, yielded }) = self.due.pop(&source_of) {
            if let Some(entry) = self.entries.get_mut(&key)
                && let QueueState::Due(since) = entry.state
            {
                entry.state = QueueState::Running;
                self.running += 1;
                return Some(Turn {
                    waited: now.saturating_duration_since(since),
                    endpoints_since: entry.endpoints_since.take(),
                    refusals: entry.refusals,
                    others_yielded: source.as_ref().is_some_and(|source| self.due.any_yielded(source)),
                    key,
                    source,
                    yielded,
                });
            }
            if let Some(source) = &source {
                self.due.unlock(source);
            }
        }
        None
    }

    /// Whether the link that has this turn may yield: others of its source are due, and it did not yield before.
    pub(super) fn may_yield(&self, turn: &Turn) -> bool {
        let source = turn.source.as_ref().filter(|_| !turn.yielded);
        source.is_some_and(|source| self.due.may_yield(source))
    }

    /// A pass ended.
    pub(super) fn finish(&mut self, turn: &Turn, ending: Ending, now: Instant) {
        self.running = self.running.saturating_sub(1);
        let key = &turn.key;
        if let Some(source) = &turn.source {
            if ending == Ending::Yielded {
                self.due.push_yielded(source, key.clone());
            }
            self.due.unlock(source);
        }
        let Some(entry) = self.entries.get_mut(key) else { return };
        if ending == Ending::Yielded && turn.source.is_some() {
            (entry.state, entry.requested_again) = (QueueState::Due(now), false);
            return;
        }
        entry.state = QueueState::Idle;
        let again = std::mem::take(&mut entry.requested_again);
        let (waits, goes_on) = self.unseen.record(key, ending);
        let wake = match ending {
            Ending::Gone if !again => {
                self.entries.remove(key);
                self.make_all_due(&goes_on, now);
                return;
            }
            Ending::Gone => None,
            // Only a link with a source yields, and that one is due already.
            Ending::Yielded => Some(Duration::ZERO),
            Ending::Settled(wake) => {
                (entry.failures, entry.refusals, entry.not_before) = (0, 0, None);
                wake
            }
            Ending::Refused(wake) => {
                (entry.failures, entry.not_before) = (0, None);
                entry.refusals = entry.refusals.saturating_add(1);
                let delay = backoff::after_refusal(key, entry.refusals);
                Some(wake.map_or(delay, |wake| wake.min(delay)))
            }
            Ending::RefusedUnseen(wake) => {
                (entry.failures, entry.not_before) = (0, None);
                entry.refusals = entry.refusals.saturating_add(1);
                let delay = backoff::after_unseen(key, entry.refusals, waits);
                Some(wake.map_or(delay, |wake| wake.min(delay)))
            }
            Ending::Conflict => {
                entry.failures = entry.failures.saturating_add(1);
                entry.not_before = None;
                Some(backoff::after_failure(key, entry.failures))
            }
            Ending::Failed(retry_after) => {
                entry.failures = entry.failures.saturating_add(1);
                let delay = backoff::after_failure(key, entry.failures).max(retry_after.unwrap_or_default());
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
        self.make_all_due(&goes_on, now);
    }

    /// Keeps passes over links of a source from starting. False if one runs.
    pub(super) fn lock_source(&mut self, source: &SourceKey) -> bool {
        self.due.lock(source)
    }

    /// Lets passes over links of a source start again.
    pub(super) fn unlock_source(&mut self, source: &SourceKey) {
        self.due.unlock(source);
    }

    /// When the next timer fires.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(when, _)| *when)
    }

    /// The number of passes that run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// The number of links that wait for a turn.
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn fire_timers(&mut self, now: Instant) {
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

    fn make_all_due(&mut self, links: &[LinkKey], now: Instant) {
        for key in links {
            self.make_due(key, now);
        }
    }

    fn make_due(&mut self, key: &LinkKey, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.state != QueueState::Idle {
            return;
        }
        entry.state = QueueState::Due(now);
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
            .is_some_and(|e| e.state == QueueState::Idle && e.timer.is_none())
        {
            self.entries.remove(key);
            // At the start of the operator all links are due at once. The memory for that is not kept afterwards.
            let (left, capacity) = (self.entries.len(), self.entries.capacity());
            if capacity > MIN_CAPACITY && left < capacity / 8 {
                self.entries.shrink_to(left * 2);
            }
        }
    }
}

#[cfg(test)]
mod tests;
