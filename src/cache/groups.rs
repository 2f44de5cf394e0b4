//! A secondary index: which objects carry a property.

use std::collections::{BTreeMap, BTreeSet};

use super::name::ObjectName;

/// Objects by a property that several may share.
#[derive(Debug)]
pub(crate) struct Groups<K> {
    members: BTreeMap<K, BTreeSet<ObjectName>>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self {
            members: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Groups<K> {
    /// Moves an object from its old properties to its new ones.
    pub(crate) fn update(&mut self, name: &ObjectName, old: &[K], new: &[K]) {
        for key in old.iter().filter(|k| !new.contains(k)) {
            if let Some(group) = self.members.get_mut(key) {
                group.remove(name);
                if group.is_empty() {
                    self.members.remove(key);
                }
            }
        }
        for key in new {
            self.members.entry(key.clone()).or_default().insert(name.clone());
        }
    }

    /// The objects with this property.
    pub(crate) fn get<'a, Q>(&'a self, key: &Q) -> impl Iterator<Item = &'a ObjectName> + use<'a, K, Q>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.members.get(key).into_iter().flatten()
    }

    /// All properties that any object has.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.members.keys()
    }

    /// All objects with any property.
    pub(crate) fn members(&self) -> impl Iterator<Item = &ObjectName> {
        self.members.values().flatten()
    }

    /// How many objects have this property.
    pub(crate) fn count<Q>(&self, key: &Q) -> usize
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.members.get(key).map_or(0, BTreeSet::len)
    }

    /// The groups from a key on, in order.
    pub(crate) fn from(&self, key: K) -> impl Iterator<Item = (&K, &BTreeSet<ObjectName>)> {
        self.members.range(key..)
    }
}
