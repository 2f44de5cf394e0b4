//! The queue of links, as tasks see it: whoever runs passes asks for the next turn and gives it back.

use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::schedule::Schedule;
pub(crate) use super::schedule::{Ending, Turn};
use instancelink_cluster::{Cause, LinkKey, SourceKey};

type SourceOf = Box<dyn Fn(&LinkKey) -> Option<SourceKey> + Send + Sync>;

/// Links that are due.
pub(crate) struct Queue {
    schedule: Mutex<Schedule>,
    changed: Notify,
    released: Notify,
    source_of: OnceLock<SourceOf>,
    limit: usize,
}

impl Queue {
    /// An empty queue that lets at most `limit` passes run at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            schedule: Mutex::default(),
            changed: Notify::new(),
            released: Notify::new(),
            source_of: OnceLock::new(),
            limit: limit.max(1),
        }
    }

    /// Tells the queue how to find a link's source. Links of which none is found are not kept apart.
    pub(crate) fn find_sources_with(&self, source_of: impl Fn(&LinkKey) -> Option<SourceKey> + Send + Sync + 'static) {
        let _ = self.source_of.set(Box::new(source_of));
    }

    /// Something about these links changed.
    pub(crate) fn add<'a>(&self, links: impl IntoIterator<Item = (&'a LinkKey, &'a Cause)>) {
        let now = Instant::now();
        let mut schedule = self.schedule.lock();
        for (key, cause) in links {
            schedule.add(key, *cause, now);
        }
        drop(schedule);
        self.changed.notify_one();
    }

    /// Waits for the next turn. To be awaited by one task only.
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

    /// Whether the link that has this turn may give way to others of its source.
    pub(crate) fn may_give_way(&self, turn: &Turn) -> bool {
        self.schedule.lock().may_give_way(turn)
    }

    /// Gives a turn back.
    pub(crate) fn finish(&self, turn: &Turn, ending: Ending) {
        self.schedule.lock().finish(turn, ending, Instant::now());
        self.changed.notify_one();
        self.released.notify_waiters();
    }

    /// Waits until no pass over a link of this source runs, and keeps the next one away as long as the guard lives.
    pub(crate) async fn hold(&self, source: SourceKey) -> HeldSource<'_> {
        loop {
            let released = self.released.notified();
            if self.schedule.lock().hold(&source) {
                return HeldSource { queue: self, source };
            }
            released.await;
        }
    }

    /// How many links wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.schedule.lock().waiting()
    }
}

/// A source whose links wait.
pub(crate) struct HeldSource<'a> {
    queue: &'a Queue,
    source: SourceKey,
}

impl Drop for HeldSource<'_> {
    fn drop(&mut self) {
        self.queue.schedule.lock().let_go(&self.source);
        self.queue.changed.notify_one();
        self.queue.released.notify_waiters();
    }
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
