//! The operator's own recent writes of children, link by link, from one pass to the next. Core decides what follows from them
//! (lifecycle#disputes).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use instancelink_cluster::LinkKey;
use instancelink_core::child::Key;
use instancelink_core::disputes::{Disputes, Written};
use jiff::Timestamp;
use parking_lot::Mutex;

/// How often the writes that stopped to count are forgotten.
pub(super) const FORGET_EVERY: Duration = Duration::from_mins(1);

/// The writes of all links. Many links become active at once when an operator is installed, so each keeps its writes in a slice:
/// the node of a map takes four times the memory of three writes.
#[derive(Debug, Default)]
pub(crate) struct RecentWrites(Mutex<HashMap<LinkKey, Writes>>);

/// The writes of one link.
type Writes = Box<[(Key, Written)]>;

impl RecentWrites {
    /// Those of one link, at the start of a pass.
    pub(super) fn of(&self, link: &LinkKey) -> BTreeMap<Key, Written> {
        let links = self.0.lock();
        links.get(link).into_iter().flatten().cloned().collect()
    }

    /// Remembers those of one link.
    pub(super) fn keep(&self, link: &LinkKey, disputes: &Disputes) {
        let written = disputes.written().iter();
        let written: Box<[_]> = written.map(|(key, one)| (key.clone(), one.clone())).collect();
        let mut links = self.0.lock();
        if written.is_empty() {
            links.remove(link);
        } else {
            links.insert(link.clone(), written);
        }
    }

    /// Forgets those of a link that is gone.
    pub(super) fn forget(&self, link: &LinkKey) {
        self.0.lock().remove(link);
    }

    /// Forgets those of the links whose writes no longer count, and gives their memory back.
    pub(super) fn forget_old(&self, now: Timestamp) {
        let mut links = self.0.lock();
        links.retain(|_, written| Disputes::is_remembered(written.iter().map(|(_, one)| one), now));
        links.shrink_to_fit();
    }
}
