//! The objects, and everything that ever happened to them: one sequence of resource versions for all kinds, as in etcd.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::object::Meta as _;
use super::resource::Resource;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub resource: &'static Resource,
    /// Its namespace; empty where the kind has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One thing that happened to one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The resource version that it has from then on.
    pub version: u64,
    /// The object.
    pub key: Key,
    /// As it was; none where it did not exist.
    pub before: Option<Arc<Value>>,
    /// As it is then; of one that was deleted the last state, with this version.
    pub after: Arc<Value>,
    /// It does not exist any more.
    pub deleted: bool,
    /// Who did it: the client's name.
    pub by: String,
}

/// The objects of a cluster, as they are and as they were.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    /// What happened since the last compaction,
    log: Vec<Change>,
    /// which was at this version,
    oldest: u64,
    /// and the objects as they were then.
    base: BTreeMap<Key, Arc<Value>>,
    uids: u64,
    addresses: u32,
    /// Objects that were stored without the defaults that they are read with.
    bare: BTreeSet<Key>,
}

impl Store {
    /// The newest resource version.
    pub fn version(&self) -> u64 {
        self.oldest + self.log.len() as u64
    }

    /// The oldest version from which a watch can go on.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Forgets what happened up to now, as compaction does, and gives it away: watches from before are answered 410.
    pub fn compact(&mut self) -> Vec<Change> {
        self.oldest = self.version();
        self.base = self.objects.clone();
        std::mem::take(&mut self.log)
    }

    /// An object as it is.
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

    /// All objects of a kind as they were at a version.
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

    /// What happened after a version, the oldest first.
    pub fn changes_after(&self, version: u64) -> &[Change] {
        let since = version.saturating_sub(self.oldest);
        let from = usize::try_from(since).unwrap_or(usize::MAX).min(self.log.len());
        &self.log[from..]
    }

    /// Writes an object as it now is; what it is answered with.
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

    /// Takes an object away; its last state.
    pub fn remove(&mut self, key: &Key, by: &str) -> Option<Arc<Value>> {
        let last = Value::clone(self.objects.get(key)?);
        self.remove_as(key, last, by)
    }

    /// Takes an object away whose last state is this, as an update does that drops the last finalizer.
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

    /// Says that an object was stored without the defaults that it is read with.
    pub fn lacks_defaults(&mut self, key: Key) {
        self.bare.insert(key);
    }

    /// Whether the next write of an object stores defaults, even where it changes nothing.
    pub fn takes_defaults(&self, key: &Key) -> bool {
        self.bare.contains(key)
    }

    /// A UID that no object has or had.
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

/// The time as it stands in objects: whole seconds.
pub fn shown(now: Timestamp) -> Value {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}
