//! The links of the caches that an object was created for, by its marks.

use instancelink_core::child::{ChildKind, Observed};
use instancelink_core::marks::{Claim, LinkId, claims, is_of_link};

use super::links::LinkStore;
use crate::name::{LinkKey, ObjectName};

/// The links in the caches to which an object of one link belongs. None for an object of others.
pub(crate) fn links_of<'a, T: ChildKind>(
    links: &'a LinkStore,
    found: &Observed<T>,
) -> impl Iterator<Item = &'a LinkKey> {
    let claims = claims(found).into_iter();
    claims.filter_map(|claim| named_by(links, &claim).filter(|key| belongs(links, found, key)))
}

fn named_by<'a>(links: &'a LinkStore, claim: &Claim) -> Option<&'a LinkKey> {
    match (&claim.uid, &claim.namespace) {
        (Some(uid), _) => links.by_uid.get(uid.as_str()),
        (None, Some(namespace)) => links.table.name(&ObjectName::new(namespace, &claim.name)),
        (None, None) => None,
    }
}

fn belongs<T: ChildKind>(links: &LinkStore, found: &Observed<T>, key: &LinkKey) -> bool {
    links.table.get(key).is_some_and(|link| {
        let id = LinkId {
            namespace: &key.namespace,
            name: &key.name,
            uid: &link.uid,
        };
        is_of_link(found, id)
    })
}
