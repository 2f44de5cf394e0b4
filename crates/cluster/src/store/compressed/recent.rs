//! Which objects are parsed, and since when they were not used: the least recently used one is compressed first.
//!
//! Each use only stamps the object. The order here is brought up to date when something has to be compressed, so that a
//! use of a parsed object takes no lock but its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Idle;

/// How many objects stay parsed: more than are worked on at once, with the other links of their sources and their
/// children.
pub(super) const PARSED: usize = 1024;
/// How many bytes they may take together. Most take a few kilobytes, but everyone may write large ones.
pub(super) const BYTES: usize = 16 * 1024 * 1024;
/// For how many rounds an object that is not used stays parsed.
pub(super) const SPARED: usize = 3;
/// If more objects than this were parsed in a round, the operator is busy: what waits for its turn would be compressed
/// just to be parsed again.
pub(super) const BUSY: usize = PARSED / 8;

/// The parsed objects of one set of caches.
#[derive(Default)]
pub struct Recent {
    clock: AtomicU64,
    order: Mutex<Order>,
}

#[derive(Default)]
struct Order {
    /// By the use that was known when the entry was made; the object itself may have been used since. Entries are weak:
    /// a replaced version of an object is freed at once, and not when it is the oldest here.
    by_use: BTreeMap<u64, Entry>,
    /// What they take together.
    bytes: usize,
    /// The clock at the beginning of the last rounds, the newest at the end.
    rounds: VecDeque<u64>,
    parsed_this_round: usize,
}

struct Entry {
    object: Weak<dyn Idle>,
    size: usize,
}

/// Objects to compress. That takes time, so the caller does it outside of its locks.
#[must_use]
#[derive(Default)]
pub struct Forgotten(Vec<Weak<dyn Idle>>);

impl Forgotten {
    /// Compresses them.
    pub fn compress(self) {
        self.0
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|object| object.compress());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Recent {
    /// A stamp for a use: later uses have greater ones.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds an object that was just parsed. Returns the objects to compress if too many are parsed.
    pub(super) fn remember(&self, used: u64, size: usize, object: Weak<dyn Idle>) -> Forgotten {
        let mut order = self.order.lock();
        order.bytes += size;
        order.by_use.insert(used, Entry { object, size });
        order.parsed_this_round += 1;
        let mut forgotten = Forgotten::default();
        while order.by_use.len() > PARSED || (order.bytes > BYTES && order.by_use.len() > 1) {
            forgotten.0.extend(order.settle_first());
        }
        forgotten
    }

    /// Begins a round. Returns what was not used for `SPARED` rounds; nothing while the operator is busy.
    pub fn begin_round(&self) -> Forgotten {
        let mut order = self.order.lock();
        let is_busy = std::mem::take(&mut order.parsed_this_round) > BUSY;
        order.rounds.push_back(self.clock.load(Ordering::Relaxed));
        if order.rounds.len() > SPARED {
            order.rounds.pop_front();
        }
        let mut forgotten = Forgotten::default();
        if !is_busy
            && order.rounds.len() == SPARED
            && let Some(before) = order.rounds.front().copied()
        {
            while order.by_use.first_key_value().is_some_and(|(used, _)| *used < before) {
                forgotten.0.extend(order.settle_first());
            }
        }
        forgotten
    }
}

impl Order {
    /// Takes out the first entry. Its object goes to its right place if it was used since; otherwise it is returned,
    /// because it was not used for the longest time.
    fn settle_first(&mut self) -> Option<Weak<dyn Idle>> {
        let (entered, entry) = self.by_use.pop_first()?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        // None if it is freed, or compressed already.
        let used = entry.object.upgrade()?.used()?;
        if used > entered {
            self.bytes += entry.size;
            self.by_use.insert(used, entry);
            return None;
        }
        Some(entry.object)
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}
