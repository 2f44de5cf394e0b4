//! Writes of children whose answers were lost, until the API server has shown their result. Core decides what has to be
//! asked until then.
//!
//! Writes of links need none of this: each carries the resourceVersion that it was decided on, so the next one is refused if
//! the lost one was done.

use std::collections::{BTreeMap, HashMap};

use instancelink_cluster::SourceKey;
use instancelink_core::child::{DesiredChild, Key};
use parking_lot::Mutex;

/// What may have been written, by the source whose links share it.
#[derive(Debug, Default)]
pub(crate) struct UnconfirmedWrites(Mutex<HashMap<SourceKey, BTreeMap<Key, Vec<DesiredChild>>>>);

impl UnconfirmedWrites {
    /// Adds a write that may have been done.
    pub(super) fn add(&self, source: SourceKey, child: DesiredChild) {
        let mut sources = self.0.lock();
        let writes = sources.entry(source).or_default().entry(child.key()).or_default();
        if !writes.contains(&child) {
            writes.push(child);
        }
    }

    /// The writes of a source.
    pub(super) fn of(&self, source: &SourceKey) -> Vec<DesiredChild> {
        let sources = self.0.lock();
        let children = sources.get(source).into_iter().flat_map(BTreeMap::values);
        children.flatten().cloned().collect()
    }

    /// True if there are none, which is the usual case.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Forgets the writes of a child: the API server has shown its state, or will not show it any more.
    pub(super) fn forget(&self, source: &SourceKey, child: &Key) {
        let mut sources = self.0.lock();
        if let Some(children) = sources.get_mut(source) {
            children.remove(child);
            if children.is_empty() {
                sources.remove(source);
            }
        }
    }

    /// Forgets the writes of all other sources.
    pub(super) fn retain_sources(&self, keep: impl Fn(&SourceKey) -> bool) {
        self.0.lock().retain(|source, _| keep(source));
    }
}
