//! The objects and their history: one sequence of resource versions for all kinds, as in etcd.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::object::Meta as _;
use super::policies::Policies;
use super::resource::Resource;

/// Identifies an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub resource: &'static Resource,
    /// Its namespace; empty if the kind has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The resource version after the change.
    pub version: u64,
    /// The object.
    pub key: Key,
    /// The object before; none if it did not exist.
    pub before: Option<Arc<Value>>,
    /// The object after the change. For a deletion: its last state, with this version.
    pub after: Arc<Value>,
    /// The object was deleted.
    pub deleted: bool,
    /// The name of the client that made the change.
    pub by: String,
}

/// The objects of a cluster and their history since the last compaction.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    /// The changes since the last compaction.
    log: Vec<Change>,
    /// The version of the last compaction.
    oldest: u64,
    /// The objects at the last compaction.
    base: BTreeMap<Key, Arc<Value>>,
    uids: u64,
    addresses: u32,
    /// Objects that are stored without the defaults that a read adds.
    bare: BTreeSet<Key>,
    /// What the policies and webhooks of the cluster do to writes.
    pub policies: Policies,
}

impl Store {
    /// The newest resource version.
    pub fn version(&self) -> u64 {
        self.oldest + self.log.len() as u64
    }

    /// The oldest version from which a watch can start.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Compacts the history and returns it. A watch from an older version is then answered with 410.
    pub fn compact(&mut self) -> Vec<Change> {
        self.oldest = self.version();
        self.base = self.objects.clone();
        std::mem::take(&mut self.log)
    }

    /// The current object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// All objects.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// All objects of a kind.
    pub fn of(&self, resource: &'static Resource) -> impl Iterator<Item = &Arc<Value>> {
        let first = Key {
            resource,
            namespace: String::new(),
            name: String::new(),
        };
        self.objects
            .range(first..)
            .take_while(move |(key, _)| key.resource == resource)
            .map(|(_, object)| object)
    }

    /// All objects of a kind at a version.
    pub fn of_at(&self, resource: &'static Resource, version: u64) -> Vec<Arc<Value>> {
        let based = self.base.iter().filter(|(key, _)| key.resource == resource);
        let mut then: BTreeMap<&Key, Arc<Value>> = based.map(|(key, object)| (key, Arc::clone(object))).collect();
        for change in self.log.iter().take_while(|change| change.version <= version) {
            if change.key.resource != resource {
                continue;
            }
            if change.deleted {
                then.remove(&change.key);
            } else {
                then.insert(&change.key, Arc::clone(&change.after));
            }
        }
        then.into_values().collect()
    }

    /// The changes after a version, the oldest first.
    pub fn changes_after(&self, version: u64) -> &[Change] {
        let since = version.saturating_sub(self.oldest);
        let from = usize::try_from(since).unwrap_or(usize::MAX).min(self.log.len());
        &self.log[from..]
    }

    /// Stores an object under the next version, and returns it.
    pub fn put(&mut self, key: Key, mut object: Value, by: &str) -> Arc<Value> {
        let version = self.version() + 1;
        object
            .metadata()
            .insert("resourceVersion".to_owned(), version.to_string().into());
        let after = Arc::new(object);
        self.bare.remove(&key);
        let before = self.objects.insert(key.clone(), Arc::clone(&after));
        self.log.push(Change {
            version,
            key,
            before,
            after: Arc::clone(&after),
            deleted: false,
            by: by.to_owned(),
        });
        after
    }

    /// Removes an object, and returns its last state.
    pub fn remove(&mut self, key: &Key, by: &str) -> Option<Arc<Value>> {
        let last = Value::clone(self.objects.get(key)?);
        self.remove_as(key, last, by)
    }

    /// Removes an object with this last state, as an update that drops the last finalizer does.
    pub fn remove_as(&mut self, key: &Key, mut last: Value, by: &str) -> Option<Arc<Value>> {
        self.bare.remove(key);
        let before = self.objects.remove(key)?;
        let version = self.version() + 1;
        last.metadata()
            .insert("resourceVersion".to_owned(), version.to_string().into());
        let last = Arc::new(last);
        self.log.push(Change {
            version,
            key: key.clone(),
            before: Some(before),
            after: Arc::clone(&last),
            deleted: true,
            by: by.to_owned(),
        });
        Some(last)
    }

    /// Marks an object as stored without the defaults that a read adds.
    pub fn lacks_defaults(&mut self, key: Key) {
        self.bare.insert(key);
    }

    /// True if the next write of an object stores defaults, so that it counts even if nothing else changes.
    pub fn takes_defaults(&self, key: &Key) -> bool {
        self.bare.contains(key)
    }

    /// A UID that no object has had.
    pub fn new_uid(&mut self) -> String {
        self.uids += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.uids)
    }

    /// A cluster address that no Service has.
    pub fn new_address(&mut self) -> String {
        self.addresses += 1;
        format!("10.96.{}.{}", self.addresses / 250, self.addresses % 250 + 1)
    }
}

/// The time in the format of objects, in whole seconds.
pub fn shown(now: Timestamp) -> Value {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}
