//! The refused writes of links, from one pass to the next. Core decides which of them the next pass sends again.

use std::collections::{BTreeMap, HashMap};

use instancelink_cluster::LinkKey;
use instancelink_core::child::Key;
use instancelink_core::refusal::{MOST_REMEMBERED, Refusal, still_refused};
use parking_lot::Mutex;

use crate::queue::Turn;

/// The refusals of the last pass of each link, if one of them ends unseen.
#[derive(Default)]
pub(crate) struct RefusedWrites(Mutex<HashMap<LinkKey, BTreeMap<Key, Refusal>>>);

impl RefusedWrites {
    /// The refusals that still count in this turn: none after a change.
    pub(super) fn recall(&self, turn: &Turn) -> BTreeMap<Key, Refusal> {
        let last = self.0.lock().remove(&turn.key).unwrap_or_default();
        still_refused(last, turn.refusals)
    }

    /// Remembers the refusals of a pass until the next one. True if one of them ends unseen.
    pub(super) fn remember(&self, link: &LinkKey, refusals: &BTreeMap<Key, Refusal>) -> bool {
        let any = refusals.values().any(Refusal::ends_unseen);
        if any {
            let some = refusals.iter().take(MOST_REMEMBERED);
            let some = some.map(|(key, refusal)| (key.clone(), refusal.clone())).collect();
            self.0.lock().insert(link.clone(), some);
        }
        any
    }
}
