//! A secondary index: which objects carry a property.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::name::ObjectName;

/// Objects by a property that several may share.
#[derive(Debug)]
pub struct Groups<K> {
    members: BTreeMap<K, Members>,
}

/// Most groups have one member, and a set of one takes the room of eleven.
#[derive(Debug)]
enum Members {
    One(ObjectName),
    Many(BTreeSet<ObjectName>),
}

impl Members {
    fn insert(&mut self, name: &ObjectName) {
        match self {
            Self::One(only) if only == name => {}
            Self::One(only) => *self = Self::Many(BTreeSet::from([only.clone(), name.clone()])),
            Self::Many(set) => {
                set.insert(name.clone());
            }
        }
    }

    /// True if the group is empty then.
    fn remove(&mut self, name: &ObjectName) -> bool {
        match self {
            Self::One(only) => only == name,
            Self::Many(set) => {
                set.remove(name);
                set.is_empty()
            }
        }
    }

    /// All of them, in order.
    fn iter(&self) -> impl Iterator<Item = &ObjectName> {
        let (one, many) = match self {
            Self::One(only) => (Some(only), None),
            Self::Many(set) => (None, Some(set)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Those that are not before a name, in order.
    fn from(&self, first: &ObjectName) -> impl Iterator<Item = &ObjectName> + use<'_> {
        let (one, many) = match self {
            Self::One(only) => (Some(only).filter(|only| *only >= first), None),
            Self::Many(set) => (None, Some(set.range::<ObjectName, _>(first..))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(set) => set.len(),
        }
    }
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
    pub fn update(&mut self, name: &ObjectName, old: &[K], new: &[K]) {
        // An environment mentions as many links as its source has: a search in a list would take the square of that.
        let kept: BTreeSet<&K> = new.iter().collect();
        for key in old.iter().filter(|key| !kept.contains(key)) {
            if self.members.get_mut(key).is_some_and(|group| group.remove(name)) {
                self.members.remove(key);
            }
        }
        for key in new {
            match self.members.entry(key.clone()) {
                Entry::Occupied(mut group) => group.get_mut().insert(name),
                Entry::Vacant(place) => {
                    place.insert(Members::One(name.clone()));
                }
            }
        }
    }

    /// The objects with this property.
    pub fn get<'a, Q>(&'a self, key: &Q) -> impl Iterator<Item = &'a ObjectName> + use<'a, K, Q>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.members.get(key).into_iter().flat_map(Members::iter)
    }

    /// The objects of one namespace with this property. Those of others are not even visited: everyone can write what leads to
    /// an object of another namespace, such as its UID.
    pub fn within<'a, Q>(
        &'a self,
        namespace: &Arc<str>,
        key: &Q,
    ) -> impl Iterator<Item = &'a ObjectName> + use<'a, K, Q>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let group = self.members.get(key);
        let first = ObjectName::within(namespace, "");
        let namespace = Arc::clone(namespace);
        let members = group.into_iter().flat_map(move |group| group.from(&first));
        members.take_while(move |name| name.namespace == namespace)
    }

    /// All properties that any object has.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.members.keys()
    }

    /// All objects with any property.
    pub fn members(&self) -> impl Iterator<Item = &ObjectName> {
        self.members.values().flat_map(Members::iter)
    }

    /// True if this object has this property.
    pub fn has(&self, key: &K, name: &ObjectName) -> bool {
        match self.members.get(key) {
            Some(Members::One(only)) => only == name,
            Some(Members::Many(set)) => set.contains(name),
            None => false,
        }
    }

    /// How many objects have this property.
    pub fn count<Q>(&self, key: &Q) -> usize
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.members.get(key).map_or(0, Members::len)
    }

    /// The groups behind a key, in order; all without one.
    pub fn after(&self, key: Option<&K>) -> impl Iterator<Item = (&K, impl Iterator<Item = &ObjectName>)> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.members.range((start, Bound::Unbounded));
        behind.map(|(key, group)| (key, group.iter()))
    }

    /// The groups from a key on, in order.
    pub fn from(&self, key: K) -> impl Iterator<Item = (&K, impl Iterator<Item = &ObjectName>)> {
        self.members.range(key..).map(|(key, group)| (key, group.iter()))
    }
}
