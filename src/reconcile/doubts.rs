//! Writes of children whose answers were lost. Such a write may have been done, and the watch may be late to tell: until
//! the API server was asked, what stands is not known, and nothing may be decided on it.
//!
//! Writes of links need none of this: each carries the version it was decided on, so the next one is refused.

use std::collections::{BTreeSet, HashMap};

use instancelink_core::child::Key;
use parking_lot::Mutex;

use crate::cache::links::SourceKey;

/// Children of which it is not known what stands, by the source whose links may have written them.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<HashMap<SourceKey, BTreeSet<Key>>>);

impl Doubts {
    /// Whether this child was written is not known.
    pub(super) fn add(&self, source: SourceKey, child: Key) {
        self.0.lock().entry(source).or_default().insert(child);
    }

    /// What has to be asked before the next pass over a link of this source.
    pub(super) fn of(&self, source: &SourceKey) -> Vec<Key> {
        self.0.lock().get(source).into_iter().flatten().cloned().collect()
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
