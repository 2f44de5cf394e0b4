//! Children whose link is not known. A former leader may have written them late.

use instancelink_core::child::{ChildKind, Key, Kind, Observed, ObservedChild, with_observed};
use instancelink_core::marks::{claims, is_shared_child, named_in};

use super::Who;
use crate::affected::Affected;
use crate::index::Index;
use crate::index::owners;
use crate::name::ObjectName;

/// Asks for a check of a child whose link is not known, or whose link has no children in this namespace.
pub(super) fn note_orphan<T: ChildKind>(index: &Index, found: Option<&Observed<T>>, who: Who, affected: &mut Affected) {
    let Some(found) = found.filter(|found| who == Who::Others && !found.terminating) else {
        return;
    };
    let object = &found.object;
    let links = &index.links;
    let is_orphan = if T::KIND.is_shared() {
        let named = named_in(found);
        let is_known = |(namespace, name)| links.table.get(&ObjectName::new(namespace, name)).is_some();
        is_shared_child(found) && !named.is_some_and(is_known)
    } else {
        let is_known = || {
            let namespace = object.namespace.as_str().into();
            let mut own = owners::links_of(links, found);
            own.any(|link| T::KIND != Kind::Policy || links.leads_to(&namespace, link))
        };
        !claims(found).is_empty() && !is_known()
    };
    if is_orphan {
        affected.orphans.insert(Key {
            kind: T::KIND,
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        });
    }
}

/// The same for a child of any kind.
pub(super) fn note_any(index: &Index, found: Option<&ObservedChild>, who: Who, affected: &mut Affected) {
    if let Some(found) = found {
        with_observed!(found, K(found) => note_orphan::<K>(index, Some(found), who, affected));
    }
}
