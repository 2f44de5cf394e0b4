//! Objects of kinds that are watched only because a link names them. Nobody but the watch tells of them, so no answer to
//! a write of ours has to be told from an event; but what an object's scale says has to be asked for.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use instancelink_core::snapshot::{ApiKind, Unlisted, Workload};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::affected::{Affected, Cause};
use super::index::Index;
use super::{Cache, ObjectName};

/// The kinds that links name, and their objects.
#[derive(Debug, Default)]
pub(crate) struct ScaledStore {
    kinds: BTreeMap<ApiKind, Objects>,
}

#[derive(Debug)]
struct Objects {
    /// Why no object of the kind is known; none once they were listed.
    why_not: Option<Unlisted>,
    /// Why their scale could not be read at the last attempt.
    refused: Option<Unlisted>,
    entries: HashMap<ObjectName, Entry>,
    relisted: Option<HashSet<ObjectName>>,
}

#[derive(Debug)]
struct Entry {
    /// The object; its selector is the one last read from its scale.
    object: Arc<Workload>,
    /// Changes with everything that may change the selector.
    mark: u64,
    /// The mark for which the selector was read.
    read: Option<u64>,
}

impl Objects {
    fn pending() -> Self {
        Self {
            why_not: Some(Unlisted::Pending),
            refused: None,
            entries: HashMap::new(),
            relisted: None,
        }
    }
}

impl ScaledStore {
    /// An object whose selector is known.
    pub(crate) fn found(&self, kind: &ApiKind, name: &ObjectName) -> Option<&Arc<Workload>> {
        let objects = self.kinds.get(kind).filter(|objects| objects.why_not.is_none())?;
        let entry = objects.entries.get(name)?;
        entry.read.map(|_| &entry.object)
    }

    /// Why it is not known whether, or as what, an object exists.
    pub(crate) fn why_not(&self, kind: &ApiKind, name: &ObjectName) -> Option<Unlisted> {
        let Some(objects) = self.kinds.get(kind) else {
            return Some(Unlisted::Pending);
        };
        let unread = objects.entries.get(name).is_some_and(|entry| entry.read.is_none());
        let of_object = || objects.refused.clone().unwrap_or(Unlisted::Pending);
        objects.why_not.clone().or_else(|| unread.then(of_object))
    }

    /// False only where it is known that no such object exists.
    pub(crate) fn may_live(&self, kind: &ApiKind, name: &ObjectName, uid: &str) -> bool {
        match self.kinds.get(kind) {
            Some(objects) if objects.why_not == Some(Unlisted::NotServed) => false,
            Some(objects) if objects.why_not.is_none() => {
                objects.entries.get(name).is_some_and(|entry| entry.object.uid == uid)
            }
            Some(_) | None => true,
        }
    }

    /// True where an object of this name and UID is known, of whatever kind.
    pub(crate) fn lives(&self, name: &ObjectName, uid: &str) -> bool {
        let entries = self.kinds.values().filter_map(|objects| objects.entries.get(name));
        entries.into_iter().any(|entry| entry.object.uid == uid)
    }
}

/// What the watch of such a kind tells.
impl Cache {
    /// A link names the kind: it is going to be listed.
    pub(super) fn awaits_kind(&self, kind: &ApiKind) {
        let mut index = self.index.write();
        index.scaled.kinds.entry(kind.clone()).or_insert_with(Objects::pending);
    }

    /// No link names the kind any more.
    pub(super) fn forgets_kind(&self, kind: &ApiKind) {
        self.index.write().scaled.kinds.remove(kind);
    }

    /// True once its objects were listed.
    pub(super) fn is_listed(&self, kind: &ApiKind) -> bool {
        self.read(|index| index.scaled.kinds.get(kind).is_some_and(|o| o.why_not.is_none()))
    }

    /// A definite answer: there are no such objects for us. Those that were known are gone.
    pub(super) fn has_no(&self, kind: &ApiKind, why: Unlisted) {
        self.change(kind, |objects| {
            objects.entries.clear();
            objects.relisted = None;
            objects.why_not.replace(why.clone()) != Some(why)
        });
    }

    /// Its list begins.
    pub(super) fn lists(&self, kind: &ApiKind) {
        self.change(kind, |objects| {
            objects.relisted = Some(HashSet::new());
            false
        });
    }

    /// Its list is complete.
    pub(super) fn listed_all(&self, kind: &ApiKind) {
        self.change(kind, |objects| {
            let seen = objects.relisted.take().unwrap_or_default();
            let before = objects.entries.len();
            objects.entries.retain(|name, _| seen.contains(name));
            objects.why_not.take().is_some() || objects.entries.len() != before
        });
    }

    /// An object exists.
    pub(super) fn shows_scaled(&self, kind: &ApiKind, object: Workload, mark: u64) {
        let name = ObjectName::new(&object.namespace, &object.name);
        self.change_object(kind, &name, |objects| {
            if let Some(seen) = objects.relisted.as_mut() {
                seen.insert(name.clone());
            }
            let known = objects
                .entries
                .get(&name)
                .filter(|known| known.object.uid == object.uid);
            let Some(known) = known else {
                let read = None;
                let object = Arc::new(object);
                objects.entries.insert(name.clone(), Entry { object, mark, read });
                return true;
            };
            let object = Workload {
                selector: known.object.selector.clone(),
                ..object
            };
            let differs = object.terminating != known.object.terminating
                || object.container_ports != known.object.container_ports;
            let read = known.read;
            let object = Arc::new(object);
            objects.entries.insert(name.clone(), Entry { object, mark, read });
            differs
        });
    }

    /// An object is gone.
    pub(super) fn hides_scaled(&self, kind: &ApiKind, name: &ObjectName) {
        self.change_object(kind, name, |objects| objects.entries.remove(name).is_some());
    }

    /// The objects that links name and whose scale is to be read, of all or of one; with their marks.
    pub(super) fn unread(&self, kind: &ApiKind, only: Option<&ObjectName>) -> Vec<(ObjectName, u64)> {
        self.read(|index| {
            let Some(objects) = index.scaled.kinds.get(kind).filter(|o| o.why_not.is_none()) else {
                return Vec::new();
            };
            let entries = objects.entries.iter();
            entries
                .filter(|(name, entry)| entry.read != Some(entry.mark) && only.is_none_or(|only| only == *name))
                .filter(|(name, _)| concerned(index, kind, name).next().is_some())
                .map(|(name, entry)| (name.clone(), entry.mark))
                .collect()
        })
    }

    /// What the scale of an object says.
    pub(super) fn reads_scale(&self, kind: &ApiKind, name: &ObjectName, mark: u64, selector: LabelSelector) {
        self.change_object(kind, name, |objects| {
            objects.refused = None;
            let Some(entry) = objects.entries.get_mut(name).filter(|entry| entry.mark == mark) else {
                return false;
            };
            let differs = entry.read.is_none() || entry.object.selector != selector;
            entry.read = Some(mark);
            if differs {
                entry.object = Arc::new(Workload {
                    selector,
                    ..Workload::clone(&entry.object)
                });
            }
            differs
        });
    }

    /// The scale of an object may not be read.
    pub(super) fn may_not_read_scale(&self, kind: &ApiKind, name: &ObjectName, why: Unlisted) {
        self.change_object(kind, name, |objects| {
            objects.refused = Some(why);
            objects.entries.get(name).is_some_and(|entry| entry.read.is_none())
        });
    }

    /// What concerns every link with an end of the kind.
    fn change(&self, kind: &ApiKind, change: impl FnOnce(&mut Objects) -> bool) {
        let mut affected = Affected::default();
        let mut index = self.index.write();
        if index.scaled.kinds.get_mut(kind).is_some_and(change) {
            affected.extend(index.links.by_kind.get(kind), Cause::Change);
        }
        drop(index);
        self.tell(affected);
    }

    fn change_object(&self, kind: &ApiKind, name: &ObjectName, change: impl FnOnce(&mut Objects) -> bool) {
        let mut affected = Affected::default();
        let mut index = self.index.write();
        if index.scaled.kinds.get_mut(kind).is_some_and(change) {
            affected.extend(concerned(&index, kind, name), Cause::Change);
        }
        drop(index);
        self.tell(affected);
    }
}

/// The links that name an object: by name and kind alone, so that now and then one more is looked at.
fn concerned<'a>(
    index: &'a Index,
    kind: &ApiKind,
    name: &ObjectName,
) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
    let (namespace, name) = (&name.namespace, &name.name);
    let sources = index.links.of_source(namespace, name);
    sources.chain(index.links.of_target(&kind.kind, namespace, name))
}
