//! Objects of kinds that are watched only because links name them. The operator never writes them, so there are no
//! echoes of its own writes. The selector of an object must be read from its scale.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{ApiKind, Service, Unlisted, Unusable, Workload};

use crate::name::ObjectName;
use crate::store::scale::{OF_OTHERS, Scale};
use crate::store::table::{Item as _, Reduced};
use crate::store::weights::add_weight;

/// The name of all these kinds in metrics, whose labels must not be for users to make up.
pub const SCALED: &str = "Scaled";
/// The field of a scale that its selector is in.
pub(crate) const SELECTOR: &str = "status.selector";

/// The kinds that links name, and their objects.
#[derive(Debug, Default)]
pub struct ScaledStore {
    kinds: BTreeMap<ApiKind, Objects>,
}

/// The objects of one kind.
#[derive(Debug)]
pub(crate) struct Objects {
    /// Why no object of the kind is known. `None` if they are listed.
    why_not: Option<Unlisted>,
    /// Why their scales could not be read at the last attempt.
    refused: Option<Unlisted>,
    entries: HashMap<ObjectName, Entry>,
    relisted: Option<HashSet<ObjectName>>,
}

#[derive(Debug)]
struct Entry {
    /// The object; its selector is the one last read from its scale.
    object: Arc<Workload>,
    /// The same as a target, if it is an import. It has no scale.
    import: Option<Arc<Service>>,
    /// A number that changes with each change that may change the selector.
    mark: u64,
    /// The mark for which the selector was read.
    read: Option<u64>,
    /// Why the object cannot be used.
    why: Option<Box<Unusable>>,
    /// Why the selector that was read cannot be used. It counts until another one is read.
    why_not_selector: Option<Box<Unusable>>,
}

impl Entry {
    fn why_unusable(&self) -> Option<&Unusable> {
        self.why.as_deref().or(self.why_not_selector.as_deref())
    }
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
    pub fn found(&self, kind: &ApiKind, name: &ObjectName) -> Option<&Arc<Workload>> {
        let objects = self.kinds.get(kind).filter(|objects| objects.why_not.is_none())?;
        let entry = objects
            .entries
            .get(name)
            .filter(|entry| entry.why_unusable().is_none())?;
        entry.read.map(|_| &entry.object)
    }

    /// An import.
    pub fn import(&self, kind: &ApiKind, name: &ObjectName) -> Option<&Arc<Service>> {
        let objects = self.kinds.get(kind).filter(|objects| objects.why_not.is_none())?;
        let entry = objects
            .entries
            .get(name)
            .filter(|entry| entry.why_unusable().is_none())?;
        entry.import.as_ref()
    }

    /// The imports of this name, whatever their kind.
    pub(crate) fn imports_named(&self, name: &ObjectName) -> impl Iterator<Item = &Arc<Service>> {
        let entries = self.kinds.values().filter_map(move |objects| objects.entries.get(name));
        entries.filter_map(|entry| entry.import.as_ref())
    }

    /// Why it is not known whether an object exists, or which selector it has.
    pub fn why_not(&self, kind: &ApiKind, name: &ObjectName) -> Option<Unlisted> {
        let Some(objects) = self.kinds.get(kind) else {
            return Some(Unlisted::Pending);
        };
        let entry = objects.entries.get(name).filter(|entry| entry.why_unusable().is_none());
        let unread = entry.is_some_and(|entry| entry.read.is_none());
        let of_object = || objects.refused.clone().unwrap_or(Unlisted::Pending);
        objects.why_not.clone().or_else(|| unread.then(of_object))
    }

    /// Why an object cannot be used; none if it can, or is not known.
    pub fn why_unusable(&self, kind: &ApiKind, name: &ObjectName) -> Option<&Unusable> {
        self.unusable_object(kind, name).map(|(_, why)| why)
    }

    /// An object that cannot be used, and why.
    pub(crate) fn unusable_object(&self, kind: &ApiKind, name: &ObjectName) -> Option<(&Workload, &Unusable)> {
        let entry = self.kinds.get(kind)?.entries.get(name)?;
        Some((&entry.object, entry.why_unusable()?))
    }

    /// The objects that cannot be used, and why.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = (&ObjectName, &Unusable)> {
        let entries = self.kinds.values().flat_map(|objects| &objects.entries);
        entries.filter_map(|(name, entry)| Some((name, entry.why_unusable()?)))
    }

    /// Adds the bytes that are kept of the objects to those of their namespaces.
    pub(crate) fn weigh(&self, kept: &mut BTreeMap<Arc<str>, usize>) {
        for (name, entry) in self.kinds.values().flat_map(|objects| &objects.entries) {
            add_weight(kept, name, &*entry.object);
        }
    }

    /// False only where it is known that no such object exists.
    pub fn may_live(&self, kind: &ApiKind, name: &ObjectName, uid: &str) -> bool {
        match self.kinds.get(kind) {
            Some(objects) if objects.why_not == Some(Unlisted::NotServed) => false,
            Some(objects) if objects.why_not.is_none() => {
                objects.entries.get(name).is_some_and(|entry| entry.object.uid == uid)
            }
            Some(_) | None => true,
        }
    }

    /// True if an object of this name and UID is known, of any kind.
    pub fn lives(&self, name: &ObjectName, uid: &str) -> bool {
        let entries = self.kinds.values().filter_map(|objects| objects.entries.get(name));
        entries.into_iter().any(|entry| entry.object.uid == uid)
    }

    /// Adds a kind that a link names. It is not listed yet.
    pub(crate) fn await_kind(&mut self, kind: &ApiKind) {
        self.kinds.entry(kind.clone()).or_insert_with(Objects::pending);
    }

    /// Removes the kinds that no link names any more.
    pub(crate) fn forget_kinds_but<T>(&mut self, named: &BTreeMap<ApiKind, T>) {
        self.kinds.retain(|kind, _| named.contains_key(kind));
    }

    /// True if the objects of the kind are listed.
    pub(crate) fn is_listed(&self, kind: &ApiKind) -> bool {
        self.kinds.get(kind).is_some_and(|objects| objects.why_not.is_none())
    }

    /// The objects of a kind that some link names.
    pub(crate) fn of_mut(&mut self, kind: &ApiKind) -> Option<&mut Objects> {
        self.kinds.get_mut(kind)
    }

    /// The objects whose scale must be read, with their marks. `only` limits the answer to one object.
    pub(crate) fn unread<'a>(
        &'a self,
        kind: &ApiKind,
        only: Option<&ObjectName>,
    ) -> impl Iterator<Item = (&'a ObjectName, u64)> + use<'a> {
        let objects = self.kinds.get(kind).filter(|objects| objects.why_not.is_none());
        let one = objects
            .zip(only)
            .and_then(|(objects, only)| objects.entries.get_key_value(only));
        let all = objects
            .filter(|_| only.is_none())
            .into_iter()
            .flat_map(|objects| &objects.entries);
        one.into_iter()
            .chain(all)
            .filter(|(_, entry)| entry.read != Some(entry.mark) && entry.why.is_none())
            .map(|(name, entry)| (name, entry.mark))
    }
}

/// Each method returns true if the links that name the kind need a pass.
impl Objects {
    /// Removes all objects of the kind and stores why: it is not served, or the operator may not read it.
    pub(crate) fn has_none(&mut self, why: Unlisted) -> bool {
        self.entries.clear();
        self.relisted = None;
        self.why_not.replace(why.clone()) != Some(why)
    }

    /// Their list begins.
    pub(crate) fn list_begins(&mut self) -> bool {
        self.relisted = Some(HashSet::new());
        false
    }

    /// Their list is complete: what it did not show is gone.
    pub(crate) fn list_ends(&mut self) -> bool {
        let seen = self.relisted.take().unwrap_or_default();
        let before = self.entries.len();
        self.entries.retain(|name, _| seen.contains(name));
        self.why_not.take().is_some() || self.entries.len() != before
    }

    /// An object exists. An import is complete without a scale.
    pub(crate) fn show(
        &mut self,
        name: &ObjectName,
        shown: Reduced<Workload>,
        import: Option<Service>,
        mark: u64,
    ) -> bool {
        let import = import.map(Arc::new);
        let read = import.is_some().then_some(mark);
        let Reduced { item: object, why } = shown;
        if let Some(seen) = self.relisted.as_mut() {
            seen.insert(name.clone());
        }
        let known = self.entries.get(name).filter(|known| known.object.uid == object.uid);
        let Some(known) = known else {
            let entry = Entry {
                object: Arc::new(object),
                import,
                mark,
                read,
                why,
                why_not_selector: None,
            };
            self.entries.insert(name.clone(), entry);
            return true;
        };
        let object = Workload {
            selector: known.object.selector.clone(),
            ..object
        };
        let differs =
            object.terminating != known.object.terminating || object.container_ports != known.object.container_ports;
        let differs = differs || why != known.why || import != known.import;
        let entry = Entry {
            object: Arc::new(object),
            import,
            mark,
            read: read.or(known.read),
            why,
            why_not_selector: known.why_not_selector.clone(),
        };
        self.entries.insert(name.clone(), entry);
        differs
    }

    /// An object is gone.
    pub(crate) fn hide(&mut self, name: &ObjectName) -> bool {
        self.entries.remove(name).is_some()
    }

    /// The selector in the scale of an object, as it was at this mark. One that is too large is not kept.
    pub(crate) fn read_scale(&mut self, name: &ObjectName, mark: u64, selector: Result<Selector, Unusable>) -> bool {
        self.refused = None;
        let Some(entry) = self.entries.get_mut(name).filter(|entry| entry.mark == mark) else {
            return false;
        };
        let (selector, why) = match selector.and_then(|selector| weighed(&entry.object, selector)) {
            Ok(selector) => (selector, None),
            Err(why) => (Selector::nothing(), Some(Box::new(why))),
        };
        let differs = entry.read.is_none() || entry.object.selector != selector || entry.why_not_selector != why;
        entry.read = Some(mark);
        entry.why_not_selector = why;
        if differs {
            entry.object = Arc::new(Workload {
                selector,
                ..Workload::clone(&entry.object)
            });
        }
        differs
    }

    /// The scale of an object may not be read.
    pub(crate) fn may_not_read_scale(&mut self, name: &ObjectName, why: Unlisted) -> bool {
        self.refused = Some(why);
        self.entries.get(name).is_some_and(|entry| entry.read.is_none())
    }
}

/// The selector, unless the operator would keep too much of the object with it.
fn weighed(object: &Workload, selector: Selector) -> Result<Selector, Unusable> {
    let with = Workload {
        selector,
        ..object.clone()
    };
    let mut scale = Scale::default();
    with.weigh(&mut scale);
    if scale.bytes() > OF_OTHERS {
        return Err(Unusable::too_large(SELECTOR, scale.bytes(), OF_OTHERS));
    }
    Ok(with.selector)
}
