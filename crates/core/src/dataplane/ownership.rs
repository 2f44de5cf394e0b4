//! The owner of an observed object, for a pass. The operator never adopts, changes or deletes an object that it did not create
//! (contract#ownership).

use instancelink_api::keys;

use super::writes::delete;
use crate::child::{ChildKind, Observed, Slice};
use crate::effect::Effect;
use crate::marks::{LinkId, claims, is_of_link, is_shared_child};
use crate::snapshot::Snapshot;

/// The owner of the object with a shared child's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ownership<'a, T> {
    /// There is no object.
    Free,
    /// The operator created it for this source, or for a source that no longer exists.
    Own(&'a Observed<T>),
    /// The operator created it for another source that exists.
    OtherSource,
    /// The operator did not create it.
    Foreign,
}

/// Determines the owner of the object with this namespace and name.
pub(super) fn ownership_of<'a, T: ChildKind>(
    s: &Snapshot,
    all: &'a [Observed<T>],
    namespace: &str,
    name: &str,
) -> Ownership<'a, T> {
    match all
        .iter()
        .find(|f| f.object.namespace == namespace && f.object.name == name)
    {
        None => Ownership::Free,
        Some(found) if !is_shared(s, found) => Ownership::Foreign,
        Some(found) if is_of_another_source(s, found) => Ownership::OtherSource,
        Some(found) => Ownership::Own(found),
    }
}

/// True if another source that exists has the child, by label or owner reference. A label with this source decides alone:
/// then wrong owner references are repaired.
pub(super) fn is_of_another_source<T>(s: &Snapshot, found: &Observed<T>) -> bool {
    let source = s.source.as_ref().map(|source| source.uid.as_str());
    let label = found.label(keys::SOURCE_UID);
    if source.is_some() && label == source {
        return false;
    }
    let owners = found.object.owners.iter().map(|owner| owner.uid.as_str());
    owners
        .chain(label)
        .any(|uid| Some(uid) != source && s.living_owners.contains(uid))
}

/// The slices of this link.
pub(super) fn own_slices(s: &Snapshot) -> impl Iterator<Item = &Observed<Slice>> {
    s.children.slices.iter().filter(|found| is_own(s, found))
}

/// The deletion of every slice of this link, for a directory that is not the operator's any more: the slices would answer
/// under the name of its new owner.
pub(super) fn delete_own_slices(s: &Snapshot) -> impl Iterator<Item = Effect> {
    own_slices(s).filter(|found| !found.terminating).map(delete)
}

/// True for a child of this link alone.
pub(super) fn is_own<T: ChildKind>(s: &Snapshot, found: &Observed<T>) -> bool {
    is_of_link(found, LinkId::of(&s.link.object)) || is_remembered(s, found)
}

/// True for a child that the links of a source share.
pub(super) fn is_shared<T: ChildKind>(s: &Snapshot, found: &Observed<T>) -> bool {
    is_shared_child(found) || is_remembered(s, found)
}

/// True if the operator remembers by its UID that it wrote this very object, and that admission took its marks.
fn is_remembered<T: ChildKind>(s: &Snapshot, found: &Observed<T>) -> bool {
    !s.disputes.written.is_empty() && s.disputes.is_altered(&found.object.key(T::KIND), &found.uid)
}

/// True for a child of a link with another UID. With the name of this link's child, it belongs to an earlier link of the same
/// name, and the sweep will delete it.
pub(super) fn is_of_another_link<T: ChildKind>(found: &Observed<T>) -> bool {
    // Slices without this label are not watched, so no sweep finds them.
    found.label(keys::LINK_UID).is_some() && !claims(found).is_empty()
}
