//! Deletions that conflicts do not end. An editor of another namespace can change the link's policy there before each
//! deletion, so that none finds the version that it names. That must not hold the link (lifecycle#no-wait-for-others).

use instancelink_api::InstanceLink;

use crate::child::{Key, Kind, ObservedChild};
use crate::marks::{LinkId, is_of_link};

/// True if a conflict does not end the deletion of this child: a policy in another namespace than the link's.
pub fn outlasts_conflicts(link: &InstanceLink, child: &Key) -> bool {
    child.kind == Kind::Policy && link.metadata.namespace.as_ref() != Some(&child.namespace)
}

/// The UID of an object that was read after a conflict, if it is still a policy of this link. The UID is then the only
/// precondition of its deletion. None if the link has no such policy any more.
pub fn own_uid<'a>(link: &InstanceLink, live: &'a ObservedChild) -> Option<&'a str> {
    match live {
        ObservedChild::Policy(found) if is_of_link(found, LinkId::of(link)) => Some(&found.uid),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
