//! The order of a sweep: portions that one question may judge together, and turns for namespaces, so that many orphans of one
//! tenant do not delay those of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use instancelink_core::child::Key;

/// How many shared children are checked together: their sources are locked meanwhile.
const SHARED: usize = 64;
/// How many other children are checked together.
const OWN: usize = 512;

/// Children that are checked together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// They belong to links of a source, and all are in one namespace.
    pub(super) is_shared: bool,
    pub(super) keys: Vec<Key>,
}

/// Children to check. More may be added between two portions; no namespace loses its turn by that.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    own: Turns,
    shared: Turns,
    /// The last portion was one of shared children, so that of the others is next.
    was_shared: bool,
}

/// Children of one sort, by namespace.
#[derive(Debug, Default)]
struct Turns {
    keys: BTreeMap<String, BTreeSet<Key>>,
    /// The namespaces with children, each once.
    order: VecDeque<String>,
}

impl Backlog {
    /// Adds children. One that waits already is checked once.
    pub(super) fn add(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            if key.kind.is_shared() {
                self.shared.add(key);
            } else {
                self.own.add(key);
            }
        }
    }

    /// True if no child waits.
    pub(super) fn is_empty(&self) -> bool {
        self.own.order.is_empty() && self.shared.order.is_empty()
    }

    /// The next portion. Shared children, and children of one link each, take turns. The latter are in portions over all
    /// namespaces, since one list of links may judge them all.
    pub(super) fn next(&mut self) -> Option<Portion> {
        let is_shared = self.own.order.is_empty() || !(self.was_shared || self.shared.order.is_empty());
        self.was_shared = is_shared;
        let keys = if is_shared {
            self.shared.take_of_one(SHARED)
        } else {
            self.own.take_of_each(OWN)
        };
        (!keys.is_empty()).then_some(Portion { is_shared, keys })
    }
}

impl Turns {
    fn add(&mut self, key: Key) {
        let keys = self.keys.entry(key.namespace.clone()).or_default();
        if keys.is_empty() {
            self.order.push_back(key.namespace.clone());
        }
        keys.insert(key);
    }

    /// The next children of the next namespace.
    fn take_of_one(&mut self, most: usize) -> Vec<Key> {
        let mut taken = Vec::new();
        let Some(namespace) = self.order.pop_front() else {
            return taken;
        };
        if let Some(keys) = self.keys.get_mut(&namespace) {
            taken.extend(std::iter::from_fn(|| keys.pop_first()).take(most));
            if keys.is_empty() {
                self.keys.remove(&namespace);
            } else {
                self.order.push_back(namespace);
            }
        }
        taken
    }

    /// One child of each namespace, then the second of each, and so on.
    fn take_of_each(&mut self, most: usize) -> Vec<Key> {
        let mut taken = Vec::new();
        while taken.len() < most && !self.order.is_empty() {
            taken.extend(self.take_of_one(1));
        }
        taken
    }
}

#[cfg(test)]
mod tests;
