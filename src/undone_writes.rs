//! Writes that others undo: the same content is due for the same object again soon after it was written. A policy changed the
//! write itself, or a client changed the object back. Such an object is written with growing pauses; no other object waits for
//! it, and neither does other content of the same object (lifecycle#disputed-conditions). Plain data with the time as an argument.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::ObjectName;
use tokio::time::Instant;

use crate::backoff;

/// A write counts for this time after it, or after the pause that follows it.
const COUNTS_FOR: Duration = Duration::from_mins(10);
/// Of more objects of a namespace, no write is remembered.
const OF_NAMESPACE: usize = 1024;

/// What the write of an object was, compared with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Nobody undid the one before.
    New,
    /// It repeats one that others undo. The object waits.
    Repeated,
    /// Others undo very many writes in this namespace. This object has no pause of its own.
    TooMany,
}

/// The last write of each object that was written recently.
#[derive(Debug, Default)]
pub(crate) struct UndoneWrites {
    namespaces: HashMap<Arc<str>, HashMap<ObjectName, Last>>,
    /// The ends of the pauses.
    timers: BTreeSet<(Instant, ObjectName)>,
    pruned: Option<Instant>,
}

#[derive(Debug)]
struct Last {
    content: i64,
    /// How often in a row it was repeated.
    times: u32,
    /// No pause if this is the time of the write.
    pause_ends: Instant,
}

impl Last {
    fn counts(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.pause_ends) < COUNTS_FOR
    }
}

impl UndoneWrites {
    /// True while this content must not be written to the object again.
    pub(crate) fn is_paused(&self, object: &ObjectName, content: i64, now: Instant) -> bool {
        let last = self
            .namespaces
            .get(&object.namespace)
            .and_then(|objects| objects.get(object));
        last.is_some_and(|last| last.content == content && now < last.pause_ends)
    }

    /// Remembers a write. `is_undone`: its answer shows that the same content is due again.
    pub(crate) fn wrote(&mut self, object: &ObjectName, content: i64, is_undone: bool, now: Instant) -> Write {
        let objects = self.namespaces.entry(Arc::clone(&object.namespace)).or_default();
        let before = objects.get(object).filter(|last| last.counts(now));
        let repeats = before.filter(|last| last.content == content);
        let times = repeats.map_or(u32::from(is_undone), |last| last.times.saturating_add(1));
        if before.is_none() && objects.len() >= OF_NAMESPACE && !forget_one(objects, now) {
            return Write::TooMany;
        }
        let mut pause_ends = now;
        if times > 0 {
            let others = objects
                .iter()
                .filter(|(other, last)| last.times > 0 && *other != object);
            pause_ends += backoff::after_undone(object, times, others.count().saturating_add(1));
        }
        let last = Last {
            content,
            times,
            pause_ends,
        };
        if let Some(before) = objects.insert(object.clone(), last) {
            self.timers.remove(&(before.pause_ends, object.clone()));
        }
        if times == 0 {
            return Write::New;
        }
        self.timers.insert((pause_ends, object.clone()));
        Write::Repeated
    }

    /// When the first pause ends.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Takes the objects whose pauses are over: they have to be checked again.
    pub(crate) fn take_over(&mut self, now: Instant) -> Vec<ObjectName> {
        self.prune(now);
        let mut over = Vec::new();
        while let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((_, object)) = self.timers.pop_first()
        {
            over.push(object);
        }
        over
    }

    /// Forgets the writes that no longer count. Those in a pause do.
    fn prune(&mut self, now: Instant) {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < COUNTS_FOR;
        if self.pruned.is_some_and(is_recent) {
            return;
        }
        self.pruned = Some(now);
        self.namespaces.retain(|_, objects| {
            objects.retain(|_, last| last.counts(now));
            !objects.is_empty()
        });
    }
}

/// Forgets the oldest write that is no repetition. False if there is none.
fn forget_one(objects: &mut HashMap<ObjectName, Last>, now: Instant) -> bool {
    let others = objects.iter().filter(|(_, last)| last.times == 0 || !last.counts(now));
    let oldest = others.min_by_key(|(_, last)| last.pause_ends);
    let oldest = oldest.map(|(object, _)| object.clone());
    oldest.is_some_and(|object| objects.remove(&object).is_some())
}

#[cfg(test)]
mod tests;
