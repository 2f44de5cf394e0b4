//! Whose a standing object is. What we did not create is never adopted, changed or deleted.

use instancelink_api::keys;

use crate::child::{Observed, Slice};
use crate::snapshot::Snapshot;

/// Whose the object on the name of a shared child is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim<'a, T> {
    /// Nobody has the name.
    Free,
    /// Ours: of this source, or of one that is dead, which leaves it to this one.
    Ours(&'a Observed<T>),
    /// Ours by its labels, but of another object that lives: the garbage collector, or a person, has to decide.
    AnotherSources,
    /// Not of our making.
    Strangers,
}

/// Judges the shared object of this namespace and name.
pub(super) fn claim_of<'a, T>(s: &Snapshot, all: &'a [Observed<T>], namespace: &str, name: &str) -> Claim<'a, T> {
    match all
        .iter()
        .find(|f| f.object.namespace == namespace && f.object.name == name)
    {
        None => Claim::Free,
        Some(found) if !is_shared_of_ours(found) => Claim::Strangers,
        Some(found) if is_another_sources(s, found) => Claim::AnotherSources,
        Some(found) => Claim::Ours(found),
    }
}

/// True for what carries the marks of a shared child, whoever the source is. One of them may be lost: then it is repaired,
/// where an object that nobody knows would stay for ever.
pub(crate) fn is_shared_of_ours<T>(found: &Observed<T>) -> bool {
    let names_a_source = found.label(keys::SOURCE_UID).is_some() || found.object.annotations.contains_key(keys::LINK);
    found.is_managed() && found.label(keys::LINK_UID).is_none() && names_a_source
}

/// True where a living object that is not this link's source has it, by label or owner reference. The label decides
/// where it names this source: owner references are repaired after it.
pub(super) fn is_another_sources<T>(s: &Snapshot, found: &Observed<T>) -> bool {
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

/// The slices that are this link's: by label, or, their labels lost, by owner reference.
pub(super) fn own_slices(s: &Snapshot) -> impl Iterator<Item = &Observed<Slice>> {
    s.children.slices.iter().filter(|found| is_own(s, found))
}

/// True for what belongs to this link alone: by label, or, its labels lost, by owner reference.
pub(super) fn is_own<T>(s: &Snapshot, found: &Observed<T>) -> bool {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    let labelled = found.is_managed() && found.label(keys::LINK_UID) == Some(uid);
    labelled || found.object.owners.iter().any(|owner| owner.uid == uid)
}

/// True for what an operator wrote for a link of another UID. On the name of this link's child it can only be of an
/// earlier link of the same name, which the sweep asks for.
pub(super) fn is_another_links<T>(found: &Observed<T>) -> bool {
    found.is_managed() && found.label(keys::LINK_UID).is_some()
}
