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
mod tests {
    use instancelink_core::child::Kind;

    use super::*;

    fn keys(kind: Kind, namespace: &str, count: usize) -> impl Iterator<Item = Key> {
        (0..count).map(move |number| Key {
            kind,
            namespace: namespace.to_owned(),
            name: format!("{number:05}"),
        })
    }

    fn portions_of(keys: impl IntoIterator<Item = Key>) -> Vec<Portion> {
        let mut backlog = Backlog::default();
        backlog.add(keys);
        std::iter::from_fn(|| backlog.next()).collect()
    }

    #[test]
    fn many_orphans_of_one_namespace_do_not_come_before_those_of_another() {
        let all = keys(Kind::Policy, "a", 1000).chain(keys(Kind::Slice, "z", 2));
        let portions = portions_of(all);
        let first: Vec<&str> = portions[0].keys.iter().map(|key| key.namespace.as_str()).collect();
        assert_eq!(first[..4], ["a", "z", "a", "z"]);
        assert_eq!(portions.iter().map(|portion| portion.keys.len()).sum::<usize>(), 1002);
        let shared = keys(Kind::Directory, "a", 1000).chain(keys(Kind::Environment, "z", 2));
        let portions = portions_of(shared);
        assert_eq!(portions[1].keys[0].namespace, "z");
        let is_of_one = |portion: &Portion| {
            portion
                .keys
                .iter()
                .all(|key| key.namespace == portion.keys[0].namespace)
        };
        assert!(portions.iter().all(|portion| portion.is_shared && is_of_one(portion)));
    }

    /// lifecycle#sweep-cost
    #[test]
    fn orphans_that_are_found_during_a_long_scan_take_their_turn_before_its_rest() {
        let mut backlog = Backlog::default();
        backlog.add(keys(Kind::Directory, "a", 5000).chain(keys(Kind::Slice, "a", 5000)));
        let kinds: Vec<bool> = (0..4).filter_map(|_| backlog.next()).map(|p| p.is_shared).collect();
        assert_eq!(kinds, [true, false, true, false], "neither sort waits for the other");
        // What is added again and again for one namespace does not put off another one.
        for _ in 0..3 {
            backlog.add(keys(Kind::Directory, "a", 5000).chain(keys(Kind::Slice, "a", 5000)));
        }
        backlog.add(keys(Kind::Directory, "z", 1).chain(keys(Kind::Slice, "z", 1)));
        let next: Vec<Portion> = (0..4).filter_map(|_| backlog.next()).collect();
        let of_z = next
            .iter()
            .flat_map(|portion| &portion.keys)
            .filter(|key| key.namespace == "z");
        assert_eq!(of_z.count(), 2);
        let rest: Vec<Portion> = std::iter::from_fn(|| backlog.next()).collect();
        assert!(
            backlog.is_empty()
                && rest
                    .iter()
                    .all(|portion| portion.keys.iter().all(|key| key.namespace == "a"))
        );
    }
}
