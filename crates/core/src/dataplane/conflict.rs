//! Deletions that conflicts do not end. An editor of another namespace can change the link's policy there before each
//! deletion, so that none finds the version that it names. That must not hold the link (lifecycle#no-wait-for-others).

use instancelink_api::InstanceLink;

use crate::child::{Key, Kind, ObservedChild};
use crate::marks::{LinkId, is_of_link};

/// True if a conflict does not end the deletion of this child: a policy in another namespace than the link's.
pub fn outlasts_conflicts(link: &InstanceLink, child: &Key) -> bool {
    child.kind == Kind::Policy && link.metadata.namespace.as_ref() != Some(&child.namespace)
}

/// True if an object that was read after a conflict is the policy with this UID, and is still this link's. Its UID is
/// then the only precondition of its deletion. Otherwise the link has no such policy any more.
pub fn is_still_own(link: &InstanceLink, live: &ObservedChild, uid: &str) -> bool {
    matches!(live, ObservedChild::Policy(found) if found.uid == uid && is_of_link(found, LinkId::of(link)))
}

#[cfg(test)]
mod tests;
