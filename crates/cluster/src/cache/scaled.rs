//! What the watch of a kind tells that is watched only because links name it.

use instancelink_core::snapshot::{ApiKind, Unlisted, Workload};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::Cache;
use crate::affected::{Affected, Cause};
use crate::affects::ends::concerned;
use crate::index::scaled::Objects;
use crate::name::ObjectName;

impl Cache {
    /// A link names the kind: it is going to be listed.
    pub(crate) fn awaits_kind(&self, kind: &ApiKind) {
        self.write(|index| index.scaled.await_kind(kind));
    }

    /// No link names the kind any more.
    pub(crate) fn forgets_kind(&self, kind: &ApiKind) {
        self.write(|index| index.scaled.forget_kind(kind));
    }

    /// True once its objects were listed.
    pub(crate) fn is_listed(&self, kind: &ApiKind) -> bool {
        self.read(|index| index.scaled.is_listed(kind))
    }

    /// A definite answer: there are no such objects for us. Those that were known are gone.
    pub(crate) fn has_no(&self, kind: &ApiKind, why: Unlisted) {
        self.change(kind, |objects| objects.has_none(why));
    }

    /// Its list begins.
    pub(crate) fn lists(&self, kind: &ApiKind) {
        self.change(kind, Objects::list_begins);
    }

    /// Its list is complete.
    pub(crate) fn listed_all(&self, kind: &ApiKind) {
        self.change(kind, Objects::list_ends);
    }

    /// An object exists.
    pub(crate) fn shows_scaled(&self, kind: &ApiKind, object: Workload, mark: u64) {
        let name = ObjectName::new(&object.namespace, &object.name);
        self.change_object(kind, &name, |objects| objects.show(&name, object, mark));
    }

    /// An object is gone.
    pub(crate) fn hides_scaled(&self, kind: &ApiKind, name: &ObjectName) {
        self.change_object(kind, name, |objects| objects.hide(name));
    }

    /// The objects that links name and whose scale is to be read, of all or of one; with their marks.
    pub(crate) fn unread(&self, kind: &ApiKind, only: Option<&ObjectName>) -> Vec<(ObjectName, u64)> {
        self.read(|index| {
            let unread = index.scaled.unread(kind, only);
            unread
                .filter(|(name, _)| concerned(index, kind, name).next().is_some())
                .map(|(name, mark)| (name.clone(), mark))
                .collect()
        })
    }

    /// The selector in the scale of an object.
    pub(crate) fn reads_scale(&self, kind: &ApiKind, name: &ObjectName, mark: u64, selector: LabelSelector) {
        self.change_object(kind, name, |objects| objects.read_scale(name, mark, selector));
    }

    /// The scale of an object may not be read.
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
