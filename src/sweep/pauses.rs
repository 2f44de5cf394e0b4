//! The pauses before the sweep checks a child again. Plain data with the time as an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use instancelink_core::child::Key;
use tokio::time::Instant;

/// The pause after a child could not be judged or removed, or was removed and may be created again. It doubles each time.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// Of so many children that are gone, the pauses are remembered.
const MAX_GONE: usize = 1000;

/// How often in a row children were put off.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    put_off: BTreeMap<Key, u32>,
    /// The same of children that are gone, and until when it counts. Another client may create them again.
    gone: BTreeMap<Key, (u32, Instant)>,
}

impl Pauses {
    /// The pause of a child that is put off now.
    pub(super) fn next(&mut self, child: &Key, now: Instant) -> Duration {
        let remembered = self.gone.remove(child).filter(|(_, until)| now < *until);
        let times = self.put_off.entry(child.clone()).or_default();
        if let Some((before, _)) = remembered {
            *times = before.max(*times);
        }
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(*times)).min(LONGEST);
        *times = times.saturating_add(1);
        pause
    }

    /// True for a child that is put off and was not found to be gone since.
    pub(super) fn contains(&self, child: &Key) -> bool {
        self.put_off.contains_key(child)
    }

    /// The number of children that are put off and were not found to be gone since.
    pub(super) fn len(&self) -> usize {
        self.put_off.len()
    }

    /// A child is no orphan.
    pub(super) fn end(&mut self, child: &Key) {
        self.put_off.remove(child);
        self.gone.remove(child);
    }

    /// A child does not exist any more. If it is created again soon, its pauses go on.
    pub(super) fn gone(&mut self, child: &Key, now: Instant) {
        let Some(times) = self.put_off.remove(child) else {
            return;
        };
        if self.gone.len() >= MAX_GONE {
            self.gone.retain(|_, (_, until)| now < *until);
        }
        self.gone.insert(child.clone(), (times, now + LONGEST));
        if self.gone.len() > MAX_GONE {
            self.forget_one();
        }
    }

    /// Forgets the one that came back least, and of those the oldest.
    fn forget_one(&mut self) {
        let least = self.gone.iter().min_by_key(|(_, times_and_until)| **times_and_until);
        if let Some(child) = least.map(|(child, _)| child.clone()) {
            self.gone.remove(&child);
        }
    }
}

#[cfg(test)]
mod tests;
