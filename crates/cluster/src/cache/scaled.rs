//! The objects of kinds that are watched only because links name them. The watch of a kind calls these methods.

use std::collections::BTreeMap;

use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{ApiKind, Service, Unlisted, Unusable, Workload};

use super::Cache;
use crate::affected::{Affected, Cause};
use crate::affects::ends::concerned;
use crate::index::scaled::Objects;
use crate::name::ObjectName;
use crate::store::table::Reduced;

impl Cache {
    /// Adds a kind that a link names. It is not listed yet.
    pub(crate) fn awaits_kind(&self, kind: &ApiKind) {
        self.write(|index| index.scaled.await_kind(kind));
    }

    /// Removes the kinds that no link names any more.
    pub(crate) fn forgets_kinds_but<T>(&self, named: &BTreeMap<ApiKind, T>) {
        self.write(|index| index.scaled.forget_kinds_but(named));
    }

    /// True if the objects of the kind are listed.
    pub(crate) fn is_listed(&self, kind: &ApiKind) -> bool {
        self.read(|index| index.scaled.is_listed(kind))
    }

    /// Removes all objects of the kind and stores why: it is not served, or the operator may not read it.
    pub(crate) fn has_no(&self, kind: &ApiKind, why: Unlisted) {
        self.change(kind, |objects| objects.has_none(why));
    }

    /// A list of the kind begins.
    pub(crate) fn lists(&self, kind: &ApiKind) {
        self.change(kind, Objects::list_begins);
    }

    /// The list of the kind is complete.
    pub(crate) fn listed_all(&self, kind: &ApiKind) {
        self.change(kind, Objects::list_ends);
    }

    /// Adds or replaces an object, which may be an import.
    pub(crate) fn shows_scaled(&self, kind: &ApiKind, object: Reduced<Workload>, import: Option<Service>, mark: u64) {
        let name = ObjectName::new(&object.item.namespace, &object.item.name);
        self.note_scaled(kind, &name, &object);
        self.change_object(kind, &name, |objects| objects.show(&name, object, import, mark));
    }

    /// Removes an object.
    pub(crate) fn hides_scaled(&self, kind: &ApiKind, name: &ObjectName) {
        self.change_object(kind, name, |objects| objects.hide(name));
    }

    /// The objects that links name and whose scale must be read, with their marks. `only` limits the answer to one
    /// object.
    pub(crate) fn unread(&self, kind: &ApiKind, only: Option<&ObjectName>) -> Vec<(ObjectName, u64)> {
        self.read(|index| {
            let unread = index.scaled.unread(kind, only);
            unread
                .filter(|(name, _)| concerned(index, kind, name).next().is_some())
                .map(|(name, mark)| (name.clone(), mark))
                .collect()
        })
    }

    /// Stores the selector from the scale of an object, or why it cannot be used.
    pub(crate) fn reads_scale(
        &self,
        kind: &ApiKind,
        name: &ObjectName,
        mark: u64,
        selector: Result<Selector, Unusable>,
    ) {
        let known = self.read(|index| index.scaled.why_unusable(kind, name).cloned());
        self.change_object(kind, name, |objects| objects.read_scale(name, mark, selector));
        self.note_scale(kind, name, known.as_ref());
    }

    /// Stores that the operator may not read the scale of an object.
    pub(crate) fn may_not_read_scale(&self, kind: &ApiKind, name: &ObjectName, why: Unlisted) {
        self.change_object(kind, name, |objects| objects.may_not_read_scale(name, why));
    }

    /// Makes a change that concerns every link with an end of the kind.
    fn change(&self, kind: &ApiKind, change: impl FnOnce(&mut Objects) -> bool) {
        let affected = self.write(|index| {
            let mut affected = Affected::default();
            if index.scaled.of_mut(kind).is_some_and(change) {
                affected.extend(index.links.by_kind.get(kind), Cause::Change);
            }
            affected
        });
        self.tell(affected);
    }

    /// Makes a change that concerns every link that names one object.
    fn change_object(&self, kind: &ApiKind, name: &ObjectName, change: impl FnOnce(&mut Objects) -> bool) {
        let affected = self.write(|index| {
            let mut affected = Affected::default();
            if index.scaled.of_mut(kind).is_some_and(change) {
                affected.extend(concerned(index, kind, name), Cause::Change);
            }
            affected
        });
        self.tell(affected);
    }
}
