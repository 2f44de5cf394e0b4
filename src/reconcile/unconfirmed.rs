//! Writes of children whose answers were lost, until it is known what came of them. What has to be asked of the API server
//! meanwhile, core decides.
//!
//! Writes of links need none of this: each carries the version it was decided on, so the next one is refused.

use std::collections::{BTreeMap, HashMap};

use instancelink_core::child::{DesiredChild, Key};
use parking_lot::Mutex;

use instancelink_cluster::SourceKey;

/// What may have been written, by the source whose links share it.
#[derive(Debug, Default)]
pub(crate) struct UnconfirmedWrites(Mutex<HashMap<SourceKey, BTreeMap<Key, Vec<DesiredChild>>>>);

impl UnconfirmedWrites {
    /// Whether this child was written is not known.
    pub(super) fn add(&self, source: SourceKey, child: DesiredChild) {
        let mut doubts = self.0.lock();
        let of_child = doubts.entry(source).or_default().entry(child.key()).or_default();
        // The same once more is no other doubt.
        if !of_child.contains(&child) {
            of_child.push(child);
        }
    }

    /// Those of a source.
    pub(super) fn of(&self, source: &SourceKey) -> Vec<DesiredChild> {
        let doubts = self.0.lock();
        let children = doubts.get(source).into_iter().flat_map(BTreeMap::values);
        children.flatten().cloned().collect()
    }

    /// There are none, as nearly always.
    pub(super) fn are_none(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// The API server has told.
    pub(super) fn settle(&self, source: &SourceKey, child: &Key) {
        let mut doubts = self.0.lock();
        if let Some(children) = doubts.get_mut(source) {
            children.remove(child);
            if children.is_empty() {
                doubts.remove(source);
            }
        }
    }
}
