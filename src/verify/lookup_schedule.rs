//! When each alias is looked up. Plain data with the time as an argument. A link is in it once, even if it changes often.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::LinkKey;
use instancelink_cluster::backoff::spread;
use instancelink_core::verify::{Resolution, next_lookup};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::due_lookups::Schedule;

/// DNS servers cache an answer for 5 s, so a change is looked up later than that.
const AFTER_CHANGE: Duration = Duration::from_secs(7);
/// An alias that changes without a pause is looked up after this time at the latest.
const MAX_DELAY: Duration = Duration::from_mins(1);

/// One activation of a link. Results from before it do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Activation {
    /// The link's UID.
    pub(super) uid: String,
    /// When it became active.
    pub(super) since: Option<Timestamp>,
}

/// A hash of the ready addresses that are programmed. It shows whether they changed.
pub(super) type Fingerprint = u64;

#[derive(Debug)]
struct Entry {
    activation: Activation,
    fingerprint: Fingerprint,
    due: Instant,
    /// The time of the first change that was not looked up yet.
    changed_since: Option<Instant>,
    /// The number of lookups in a row that disagreed with the programmed addresses.
    disagreements: usize,
    accepted: Option<Arc<Resolution>>,
}

/// All links whose aliases are looked up.
#[derive(Debug, Default)]
pub(super) struct LookupSchedule {
    entries: HashMap<LinkKey, Entry>,
    timers: BTreeSet<(Instant, LinkKey)>,
}

impl LookupSchedule {
    /// A pass programmed these addresses. If they changed, the alias is looked up soon.
    pub(super) fn note_programmed(
        &mut self,
        key: &LinkKey,
        activation: &Activation,
        fingerprint: Fingerprint,
        now: Instant,
    ) {
        let soon = now + spread(key, 0, AFTER_CHANGE);
        let Some(entry) = self.entries.get_mut(key).filter(|e| e.activation == *activation) else {
            self.forget(key);
            let entry = Entry {
                activation: activation.clone(),
                fingerprint,
                due: soon,
                changed_since: Some(now),
                disagreements: 0,
                accepted: None,
            };
            self.entries.insert(key.clone(), entry);
            self.timers.insert((soon, key.clone()));
            return;
        };
        if entry.fingerprint == fingerprint {
            return;
        }
        entry.fingerprint = fingerprint;
        // The disagreements so far may be about the addresses before the change. An accepted one stays until a lookup agrees.
        if !next_lookup(entry.disagreements).believed {
            entry.disagreements = 0;
        }
        let latest = *entry.changed_since.get_or_insert(now) + MAX_DELAY;
        self.set_timer(key, soon.min(latest));
    }

    /// Removes a link.
    pub(super) fn forget(&mut self, key: &LinkKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.timers.remove(&(entry.due, key.clone()));
        }
    }

    /// The accepted result for this activation of a link.
    pub(super) fn accepted(&self, key: &LinkKey, activation: &Activation) -> Option<Arc<Resolution>> {
        let entry = self.entries.get(key).filter(|e| e.activation == *activation)?;
        entry.accepted.clone()
    }

    /// Records whether a lookup agrees with the addresses that were programmed when it started. True if its result counts.
    pub(super) fn record(
        &mut self,
        key: &LinkKey,
        activation: &Activation,
        fingerprint: Fingerprint,
        agrees: bool,
        now: Instant,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(key).filter(|e| e.activation == *activation) else {
            return false;
        };
        if entry.fingerprint != fingerprint || entry.changed_since.is_some() {
            // The addresses changed during the lookup, and the link is due again already.
            return false;
        }
        entry.disagreements = if agrees {
            0
        } else {
            entry.disagreements.saturating_add(1)
        };
        let times = entry.disagreements;
        let next = next_lookup(times);
        self.set_timer(
            key,
            now + spread(key, u32::try_from(times).unwrap_or(u32::MAX), next.after),
        );
        next.believed
    }

    /// Sets the accepted result.
    pub(super) fn set_accepted(&mut self, key: &LinkKey, resolution: Arc<Resolution>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.accepted = Some(resolution);
        }
    }

    fn set_timer(&mut self, key: &LinkKey, due: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        self.timers.remove(&(entry.due, key.clone()));
        entry.due = due;
        self.timers.insert((due, key.clone()));
    }
}

impl Schedule for LookupSchedule {
    type Key = LinkKey;

    fn pop(&mut self, now: Instant) -> Option<Self::Key> {
        let (_, key) = self.timers.first().filter(|(due, _)| *due <= now)?.clone();
        self.entries.get_mut(&key)?.changed_since = None;
        self.set_timer(&key, now + next_lookup(0).after);
        Some(key)
    }

    fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests;
