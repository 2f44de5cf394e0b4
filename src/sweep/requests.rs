//! The requests for the next sweeps. The caches add requests, the [`Sweeper`](super::Sweeper) takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use instancelink_cluster::GoneLink;
use instancelink_core::child::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::pauses::Pauses;

/// Requests that come within this time are one sweep.
const GATHER: Duration = Duration::from_millis(200);
/// The delay of a full scan after a deletion. Then a thousand deletions cause one scan, and a slower watch has time to
/// show the same objects.
const SCAN_DELAY: Duration = Duration::from_secs(2);
/// With more deleted links than this, one full scan costs less than the search for the children of each.
const MAX_GONE: usize = 1000;
/// With more children to check than this, one full scan takes their place. On an operator that does not lead, nothing takes
/// them, and each stray that a user creates and deletes would leave its name here.
const MAX_CHILDREN: usize = 1000;

/// What may have to be swept.
#[derive(Debug, Default)]
pub(crate) struct SweepRequests {
    pending: Mutex<Pending>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    /// When to check all children.
    full_scan: Option<Instant>,
    gone: Vec<GoneLink>,
    /// Single children, and when to check each.
    children: BTreeMap<Key, Instant>,
    put_off: Pauses,
}

/// What one sweep looks at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// All children.
    pub(super) everything: bool,
    /// What these links may have left.
    pub(super) gone: Vec<GoneLink>,
    /// These children.
    pub(super) children: Vec<Key>,
}

impl SweepRequests {
    /// Requests a check of all children.
    pub(crate) fn full_scan(&self) {
        self.pending.lock().full_scan_at(Instant::now());
        self.added.notify_one();
    }

    /// Requests a check of these children after a short delay, in which a slower watch may show their links. A child that is
    /// put off stays so: changes of it cause no requests.
    pub(crate) fn check_soon(&self, children: impl IntoIterator<Item = Key>) {
        let at = Instant::now() + SCAN_DELAY;
        let mut pending = self.pending.lock();
        for child in children {
            pending.children.entry(child).or_insert(at);
        }
        if pending.children.len().saturating_sub(pending.put_off.len()) > MAX_CHILDREN {
            pending.forget_children_that_are_not_put_off();
            pending.full_scan_at(at);
        }
        drop(pending);
        self.added.notify_one();
    }

    /// Requests a search for children of these deleted links, and soon after it a check of all children: each deletion is a
    /// reason to look for what earlier ones left.
    pub(crate) fn add_gone_links(&self, gone: Vec<GoneLink>) {
        if gone.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut pending = self.pending.lock();
        pending.gone.extend(gone);
        if pending.gone.len() > MAX_GONE {
            pending.gone.clear();
            pending.full_scan_at(now);
        } else {
            pending.full_scan_at(now + SCAN_DELAY);
        }
        drop(pending);
        self.added.notify_one();
    }

    /// Requests another check of one child after a delay.
    pub(super) fn retry(&self, child: Key, delay: Duration) {
        self.pending.lock().children.insert(child, Instant::now() + delay);
        self.added.notify_one();
    }

    /// Requests another check of a child that could not be judged or removed, or that was removed: another client may create it
    /// again and again. The pauses grow to minutes.
    pub(super) fn put_off(&self, child: Key) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        let pause = pending.put_off.next(&child, now);
        pending.children.insert(child, now + pause);
        drop(pending);
        self.added.notify_one();
    }

    /// True for a child that is put off: a scan does not check it.
    pub(super) fn is_put_off(&self, child: &Key) -> bool {
        let pending = self.pending.lock();
        pending.put_off.contains(child) && pending.children.get(child).is_some_and(|at| *at > Instant::now())
    }

    /// Nothing is to be removed: a child was judged.
    pub(super) fn settled(&self, child: &Key) {
        self.pending.lock().put_off.end(child);
    }

    /// Nothing is to be removed: a child is gone. If another client creates it again soon, its pauses go on.
    pub(super) fn gone(&self, child: &Key) {
        self.pending.lock().put_off.gone(child, Instant::now());
    }

    /// Takes what is due now.
    pub(super) fn due(&self) -> Scope {
        self.pending.lock().take(Instant::now())
    }

    /// Waits until something is due, and takes it.
    pub(super) async fn next(&self) -> Scope {
        loop {
            let due = self.pending.lock().next_time();
            if due.is_some_and(|due| due <= Instant::now()) {
                tokio::time::sleep(GATHER).await;
                return self.pending.lock().take(Instant::now());
            }
            let due = due.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.added.notified() => {}
                () = tokio::time::sleep_until(due) => {}
            }
        }
    }
}

impl Pending {
    fn full_scan_at(&mut self, time: Instant) {
        self.full_scan = Some(self.full_scan.map_or(time, |planned| planned.min(time)));
    }

    /// A child that is put off stays so, or a scan would ask about it again.
    fn forget_children_that_are_not_put_off(&mut self) {
        let put_off = &self.put_off;
        self.children.retain(|child, _| put_off.contains(child));
    }

    fn next_time(&self) -> Option<Instant> {
        let now = (!self.gone.is_empty()).then(Instant::now);
        let children = self.children.values().min().copied();
        [now, self.full_scan, children].into_iter().flatten().min()
    }

    fn take(&mut self, now: Instant) -> Scope {
        let everything = self.full_scan.take_if(|due| *due <= now).is_some();
        let children = self.children.extract_if(.., |_, due| *due <= now);
        Scope {
            everything,
            children: children.map(|(key, _)| key).collect(),
            gone: std::mem::take(&mut self.gone),
        }
    }
}

#[cfg(test)]
mod tests;
