//! The operator's own recent writes of children, link by link, from one pass to the next. Core decides what follows from them
//! (lifecycle#disputes).

use std::collections::{BTreeMap, HashMap};

use instancelink_cluster::LinkKey;
use instancelink_core::child::Key;
use instancelink_core::disputes::{Disputes, Written};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// How often links are forgotten that had no pass since their writes stopped to count.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The writes of all links.
#[derive(Debug, Default)]
pub(crate) struct RecentWrites(Mutex<Links>);

#[derive(Debug, Default)]
struct Links {
    writes: HashMap<LinkKey, BTreeMap<Key, Written>>,
    looked: Option<Timestamp>,
}

impl RecentWrites {
    /// Those of one link, at the start of a pass.
    pub(super) fn of(&self, link: &LinkKey) -> BTreeMap<Key, Written> {
        self.0.lock().writes.get(link).cloned().unwrap_or_default()
    }

    /// Remembers those of one link.
    pub(super) fn keep(&self, link: &LinkKey, disputes: &Disputes, now: Timestamp) {
        let mut links = self.0.lock();
        if disputes.written().is_empty() {
            links.writes.remove(link);
        } else {
            links.writes.insert(link.clone(), disputes.written().clone());
        }
        let is_due = links.looked.is_none_or(|at| now.duration_since(at) >= LOOK_EVERY);
        if is_due {
            links.looked = Some(now);
            links.writes.retain(|_, written| Disputes::is_remembered(written, now));
            links.writes.shrink_to_fit();
        }
    }

    /// Forgets those of a link that is gone.
    pub(super) fn forget(&self, link: &LinkKey) {
        self.0.lock().writes.remove(link);
    }
}
