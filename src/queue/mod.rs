//! The queue of links that wait for a pass, as tasks see it. The driver asks for the next turn and gives it back; the caches,
//! the verifier and timers add links. The rules are in [`schedule`].

mod schedule;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use instancelink_cluster::{Cause, LinkKey, SourceKey};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use schedule::Schedule;
pub(crate) use schedule::{Ending, Turn};

type SourceOf = Box<dyn Fn(&LinkKey) -> Option<SourceKey> + Send + Sync>;

/// The links that wait for a pass, and those whose pass runs.
pub(crate) struct Queue {
    schedule: Mutex<Schedule>,
    changed: Notify,
    source_unlocked: Notify,
    source_of: OnceLock<SourceOf>,
    limit: usize,
    /// Whether links are added. A process that does not lead would keep each name that it ever sees.
    is_open: AtomicBool,
}

impl Queue {
    /// An empty queue that lets at most `limit` passes run at once. It takes links once it is [open](Self::open).
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            schedule: Mutex::default(),
            changed: Notify::new(),
            source_unlocked: Notify::new(),
            source_of: OnceLock::new(),
            limit: limit.max(1),
            is_open: AtomicBool::new(false),
        }
    }

    /// Takes links from now on. Who opens the queue adds the links that are known already, after this call.
    pub(crate) fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    /// Sets how the queue finds the source of a link. Links without a known source run independently.
    pub(crate) fn set_source_lookup(&self, source_of: impl Fn(&LinkKey) -> Option<SourceKey> + Send + Sync + 'static) {
        let _ = self.source_of.set(Box::new(source_of));
    }

    /// Adds links about which something changed.
    pub(crate) fn add<'a>(&self, links: impl IntoIterator<Item = (&'a LinkKey, &'a Cause)>) {
        if !self.is_open.load(Ordering::SeqCst) {
            return;
        }
        let now = Instant::now();
        let mut schedule = self.schedule.lock();
        for (key, cause) in links {
            schedule.add(key, *cause, now);
        }
        drop(schedule);
        self.changed.notify_one();
    }

    /// Waits for the next turn. Only one task may wait.
    pub(crate) async fn next(&self) -> Turn {
        loop {
            let timer = {
                let mut schedule = self.schedule.lock();
                let free = schedule.running() < self.limit;
                let source_of = |key: &LinkKey| self.source_of.get().and_then(|f| f(key));
                if free && let Some(turn) = schedule.pop(Instant::now(), source_of) {
                    return turn;
                }
                if free { schedule.next_timer() } else { None }
            };
            let timer = timer.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(timer) => {}
            }
        }
    }

    /// Whether the link that has this turn may yield to others of its source.
    pub(crate) fn may_yield(&self, turn: &Turn) -> bool {
        self.schedule.lock().may_yield(turn)
    }

    /// Ends a turn.
    pub(crate) fn finish(&self, turn: &Turn, ending: Ending) {
        self.schedule.lock().finish(turn, ending, Instant::now());
        self.changed.notify_one();
        self.source_unlocked.notify_waiters();
    }

    /// Waits until no pass over a link of this source runs. No such pass starts while the guard lives.
    pub(crate) async fn lock_source(&self, source: SourceKey) -> SourceLock<'_> {
        loop {
            let unlocked = self.source_unlocked.notified();
            if self.schedule.lock().lock_source(&source) {
                return SourceLock { queue: self, source };
            }
            unlocked.await;
        }
    }

    /// The number of links that wait for a pass.
    pub(crate) fn waiting(&self) -> usize {
        self.schedule.lock().waiting()
    }
}

/// While it lives, no pass over a link of the source runs.
pub(crate) struct SourceLock<'a> {
    queue: &'a Queue,
    source: SourceKey,
}

impl Drop for SourceLock<'_> {
    fn drop(&mut self) {
        self.queue.schedule.lock().unlock_source(&self.source);
        self.queue.changed.notify_one();
        self.queue.source_unlocked.notify_waiters();
    }
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
