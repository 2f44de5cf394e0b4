//! The newest known objects of one kind. They come from the watch, and from the answers to our own writes.
//!
//! An answer counts until the watch has caught up with it, so that a pass never acts on an object that is older than
//! its own write. resourceVersions of a kind grow and compare as numbers, and the watch delivers them in order. All
//! bookkeeping here relies on that. It stays small, because the table drops the versions that the watch has passed. The
//! versions go back only when etcd is restored from a backup. A list shows that, and then the table ignores all
//! versions that it has.

mod held_events;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use instancelink_core::snapshot::Unusable;

use super::compressed::{Forgotten, Recent};
use super::scale::{OF_OTHERS, Scale};
use crate::name::ObjectName;

use held_events::Held;
pub use held_events::Written;

/// The properties of an object that a table uses.
pub trait Item {
    /// Its UID.
    fn uid(&self) -> &str;
    /// Its resourceVersion.
    fn resource_version(&self) -> &str;
    /// Adds up the bytes that are kept of it, beside its name and its versions.
    fn weigh(&self, scale: &mut Scale);
    /// How many bytes of it are kept at most.
    fn limit(&self) -> usize {
        OF_OTHERS
    }
    /// Adds a new object to the record of parsed objects, if its kind is kept compressed.
    fn remember(&self, _recent: &Recent) -> Forgotten {
        Forgotten::default()
    }
}

/// A resourceVersion as a number. It is 0 if the text is not a number; an object with 0 is never old.
pub fn version_of(resource_version: &str) -> u64 {
    resource_version.parse().unwrap_or(0)
}

/// An object as a table keeps it, and why it cannot be used, if it cannot.
#[derive(Debug)]
pub struct Reduced<T> {
    /// The object.
    pub item: T,
    /// Why it cannot be used.
    pub why: Option<Box<Unusable>>,
}

impl<T> From<T> for Reduced<T> {
    fn from(item: T) -> Self {
        Self { item, why: None }
    }
}

/// One object, before and after.
#[derive(Debug)]
pub struct Change<T> {
    /// Its name.
    pub name: ObjectName,
    /// Before the change; none if it did not exist.
    pub old: Option<Arc<T>>,
    /// After the change; none if it is gone.
    pub new: Option<Arc<T>>,
    /// Whether it can be used, or why not, is not as before.
    pub other_use: bool,
}

#[derive(Debug)]
struct Known<T> {
    item: Arc<T>,
    version: u64,
}

#[derive(Debug, Default)]
struct Relist {
    seen: HashSet<ObjectName>,
    still_listed: HashSet<String>,
    version: u64,
    /// It shows an object in an older version than the watch did before.
    went_back: bool,
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Table<T> {
    entries: HashMap<ObjectName, Known<T>>,
    /// The watch has delivered everything up to here.
    delivered: u64,
    relist: Option<Relist>,
    lists: u64,
    /// Written by us, not yet seen on the watch.
    unconfirmed: BTreeMap<u64, ObjectName>,
    /// Gone by an answer to one of our writes, not yet seen on the watch: UIDs.
    gone: HashSet<String>,
    in_flight: HashMap<ObjectName, Vec<Held>>,
    /// Of the objects, those that cannot be used.
    unusable: BTreeMap<ObjectName, Box<Unusable>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            delivered: 0,
            relist: None,
            lists: 0,
            unconfirmed: BTreeMap::new(),
            gone: HashSet::new(),
            in_flight: HashMap::new(),
            unusable: BTreeMap::new(),
        }
    }
}

impl<T: Item> Table<T> {
    /// An object, if it exists.
    pub fn get(&self, name: &ObjectName) -> Option<&Arc<T>> {
        self.entries.get(name).map(|e| &e.item)
    }

    /// The name of an object as the table keeps it, if it exists.
    pub fn name(&self, name: &ObjectName) -> Option<&ObjectName> {
        self.entries.get_key_value(name).map(|(name, _)| name)
    }

    /// All objects.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectName, &Arc<T>)> {
        self.entries.iter().map(|(name, e)| (name, &e.item))
    }

    /// Why an object cannot be used; none if it can, or does not exist.
    pub fn why_unusable(&self, name: &ObjectName) -> Option<&Unusable> {
        self.unusable.get(name).map(AsRef::as_ref)
    }

    /// The objects that cannot be used, and why.
    pub fn unusable(&self) -> impl Iterator<Item = (&ObjectName, &Unusable)> {
        self.unusable.iter().map(|(name, why)| (name, &**why))
    }

    /// How many times a list was completed.
    pub fn lists(&self) -> u64 {
        self.lists
    }

    /// The watch begins to list again.
    pub fn relist(&mut self) {
        self.relist = Some(Relist::default());
    }

    /// The watch shows an object. `None` if the table already has this version or a newer one.
    pub fn show(&mut self, name: &ObjectName, reduced: Reduced<T>) -> Option<Change<T>> {
        let item = &reduced.item;
        let version = version_of(item.resource_version());
        self.is_news(name, item.uid(), item.resource_version())
            .then(|| self.put(name, reduced, version))
    }

    /// The watch shows an object in this version. False if it is our own write, or older than the object in the table.
    pub fn is_news(&mut self, name: &ObjectName, uid: &str, resource_version: &str) -> bool {
        let version = version_of(resource_version);
        let known = self.entries.get(name);
        match self.relist.as_mut() {
            Some(relist) => {
                relist.seen.insert(name.clone());
                relist.version = relist.version.max(version);
                // A list may be older than our own writes, but never older than what the watch delivered.
                let was_delivered = known.filter(|k| k.item.uid() == uid && k.version <= self.delivered);
                relist.went_back |= version != 0 && was_delivered.is_some_and(|known| known.version > version);
            }
            None => self.delivered = self.delivered.max(version),
        }
        if self.gone.contains(uid) {
            if let Some(relist) = self.relist.as_mut() {
                relist.still_listed.insert(uid.to_owned());
            }
            return false;
        }
        if let Some(known) = known
            && version != 0
            && known.version >= version
        {
            if known.version == version {
                self.unconfirmed.remove(&version);
            }
            return false;
        }
        true
    }

    /// The watch says that an object is gone, or no longer among those it shows.
    pub fn hide(&mut self, name: &ObjectName, uid: &str, resource_version: &str) -> Option<Change<T>> {
        let version = version_of(resource_version);
        self.delivered = self.delivered.max(version);
        self.gone.remove(uid);
        let known = self.entries.get(name)?;
        if known.item.uid() != uid || (version != 0 && known.version > version) {
            return None;
        }
        Some(self.take(name))
    }

    /// The list is complete. An object that it did not show is gone, unless we wrote the object after the list. `None`
    /// if resourceVersions went back: then the list must be repeated, and the table accepts each version in it.
    pub fn listed(&mut self) -> Option<Vec<Change<T>>> {
        let Some(relist) = self.relist.take() else {
            self.lists += 1;
            return Some(Vec::new());
        };
        if relist.went_back {
            self.forget_versions();
            return None;
        }
        self.lists += 1;
        self.gone.retain(|uid| relist.still_listed.contains(uid));
        self.delivered = self.delivered.max(relist.version);
        let lost: Vec<ObjectName> = self
            .entries
            .iter()
            .filter(|(name, entry)| {
                let is_newer = entry.version > relist.version && self.unconfirmed.contains_key(&entry.version);
                !relist.seen.contains(*name) && !is_newer
            })
            .map(|(name, _)| name.clone())
            .collect();
        Some(lost.iter().map(|name| self.take(name)).collect())
    }

    /// After this, the table accepts each version that the watch or a list shows. It keeps the objects, so it still
    /// finds what changed.
    fn forget_versions(&mut self) {
        self.entries.values_mut().for_each(|known| known.version = 0);
        self.delivered = 0;
        self.unconfirmed.clear();
        self.gone.clear();
    }

    /// The objects that we wrote and that the watch has passed without showing them. They were deleted before the watch
    /// could show them.
    pub fn passed(&mut self) -> Vec<Change<T>> {
        let mut lost = Vec::new();
        while let Some(first) = self.unconfirmed.first_entry()
            && *first.key() <= self.delivered
            && self.relist.is_none()
        {
            let (version, name) = first.remove_entry();
            if self.entries.get(&name).is_some_and(|e| e.version == version) {
                lost.push(self.take(&name));
            }
        }
        lost
    }

    /// The answer to one of our writes. `None` if the watch was faster.
    pub fn record(&mut self, name: &ObjectName, reduced: Reduced<T>) -> Option<Change<T>> {
        let item = &reduced.item;
        let version = version_of(item.resource_version());
        if self.entries.get(name).is_some_and(|known| known.version >= version) || self.gone.contains(item.uid()) {
            return None;
        }
        if version > self.delivered {
            self.unconfirmed.insert(version, name.clone());
        }
        Some(self.put(name, reduced, version))
    }

    /// An answer shows that an object is gone. `None` if the watch was faster.
    pub fn record_gone(&mut self, name: &ObjectName, uid: &str) -> Option<Change<T>> {
        if self.entries.get(name)?.item.uid() != uid {
            return None;
        }
        self.gone.insert(uid.to_owned());
        Some(self.take(name))
    }

    /// How many writes the watch has still to catch up with.
    #[cfg(test)]
    pub fn outstanding(&self) -> usize {
        self.unconfirmed.len() + self.gone.len() + self.in_flight.len()
    }

    fn put(&mut self, name: &ObjectName, reduced: Reduced<T>, version: u64) -> Change<T> {
        let other_use = match reduced.why {
            Some(why) if self.unusable.get(name) == Some(&why) => false,
            Some(why) => {
                self.unusable.insert(name.clone(), why);
                true
            }
            None => self.unusable.remove(name).is_some(),
        };
        let item = Arc::new(reduced.item);
        let new = Known {
            item: Arc::clone(&item),
            version,
        };
        // Who keeps the name keeps this one, and not a copy that each event brings along.
        let (name, old) = match self.entries.entry(name.clone()) {
            Entry::Occupied(mut place) => (place.key().clone(), Some(place.insert(new).item)),
            Entry::Vacant(place) => (place.insert_entry(new).key().clone(), None),
        };
        Change {
            name,
            old,
            new: Some(item),
            other_use,
        }
    }

    fn take(&mut self, name: &ObjectName) -> Change<T> {
        Change {
            other_use: self.unusable.remove(name).is_some(),
            name: name.clone(),
            old: self.entries.remove(name).map(|e| e.item),
            new: None,
        }
    }
}
