//! Which alias is looked up when: plain data and the time as an argument. A link is in it once, however often it changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use instancelink_core::verify::{Resolution, next_lookup};
use jiff::Timestamp;
use tokio::time::Instant;

use instancelink_cluster::LinkKey;
use instancelink_cluster::backoff::spread;

/// A change is looked up after the 5 s for which DNS servers keep an answer.
const SETTLED: Duration = Duration::from_secs(7);
/// An alias that changes all the time is looked up all the same.
const LONGEST: Duration = Duration::from_mins(1);

/// A link from the moment it became active: what was seen of it before counts no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// The link's UID.
    pub(super) uid: String,
    /// When it became active.
    pub(super) since: Option<Timestamp>,
}

/// Stands for the ready addresses that are programmed, as far as two sets of them have to be told apart.
pub(super) type Print = u64;

#[derive(Debug)]
struct Entry {
    life: Life,
    print: Print,
    due: Instant,
    /// When the first change was made that was not looked up yet.
    changing: Option<Instant>,
    /// Looks in a row that did not agree.
    disagreements: usize,
    believed: Option<Arc<Resolution>>,
}

/// All links that are looked up.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    entries: HashMap<LinkKey, Entry>,
    timers: BTreeSet<(Instant, LinkKey)>,
}

impl Schedule {
    /// This is programmed now.
    pub(super) fn note(&mut self, key: &LinkKey, life: &Life, print: Print, now: Instant) {
        let soon = now + spread(key, 0, SETTLED);
        let Some(entry) = self.entries.get_mut(key).filter(|e| e.life == *life) else {
            self.forget(key);
            let entry = Entry {
                life: life.clone(),
                print,
                due: soon,
                changing: Some(now),
                disagreements: 0,
                believed: None,
            };
            self.entries.insert(key.clone(), entry);
            self.timers.insert((soon, key.clone()));
            return;
        };
        if entry.print == print {
            return;
        }
        entry.print = print;
        // What disagreed may have been about what stood before; what was believed to be wrong stays so until it agrees.
        if !next_lookup(entry.disagreements).believed {
            entry.disagreements = 0;
        }
        let latest = *entry.changing.get_or_insert(now) + LONGEST;
        self.set_timer(key, soon.min(latest));
    }

    /// Not to be looked up any more.
    pub(super) fn forget(&mut self, key: &LinkKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.timers.remove(&(entry.due, key.clone()));
        }
    }

    /// What was seen of this link and is believed.
    pub(super) fn believed(&self, key: &LinkKey, life: &Life) -> Option<Arc<Resolution>> {
        let entry = self.entries.get(key).filter(|e| e.life == *life)?;
        entry.believed.clone()
    }

    /// The next link whose time has come. A look that is never heard of again is made again.
    pub(super) fn pop(&mut self, now: Instant) -> Option<LinkKey> {
        let (_, key) = self.timers.first().filter(|(due, _)| *due <= now)?.clone();
        self.entries.get_mut(&key)?.changing = None;
        self.set_timer(&key, now + next_lookup(0).after);
        Some(key)
    }

    /// When the next link is due.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// A look at what was programmed like this has come back. True where it is to be believed.
    pub(super) fn looked(&mut self, key: &LinkKey, life: &Life, print: Print, agrees: bool, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(key).filter(|e| e.life == *life) else {
            return false;
        };
        if entry.print != print || entry.changing.is_some() {
            // It changed in the meantime, and is due again already.
            return false;
        }
        entry.disagreements = if agrees {
            0
        } else {
            entry.disagreements.saturating_add(1)
        };
        let times = entry.disagreements;
        let look = next_lookup(times);
        self.set_timer(
            key,
            now + spread(key, u32::try_from(times).unwrap_or(u32::MAX), look.after),
        );
        look.believed
    }

    /// Keeps what was seen.
    pub(super) fn believe(&mut self, key: &LinkKey, seen: Arc<Resolution>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.believed = Some(seen);
        }
    }

    fn set_timer(&mut self, key: &LinkKey, due: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        self.timers.remove(&(entry.due, key.clone()));
        entry.due = due;
        self.timers.insert((due, key.clone()));
    }
}

#[cfg(test)]
mod tests;
