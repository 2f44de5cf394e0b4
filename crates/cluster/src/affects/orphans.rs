//! Children whose link is not known. A former leader may have written them late.

use instancelink_api::keys;
use instancelink_core::child::Observed;

use super::Who;
use crate::affected::Affected;
use crate::index::links::LinkStore;
use crate::name::ObjectName;

/// Asks for a sweep if a child names a link that is not known.
pub(super) fn note_orphan<T>(links: &LinkStore, found: Option<&Observed<T>>, who: Who, affected: &mut Affected) {
    let Some(found) = found.filter(|found| who == Who::Others && found.is_managed()) else {
        return;
    };
    let named = found.object.annotations.get(keys::LINK).and_then(|v| v.split_once('/'));
    let is_known = match found.label(keys::LINK_UID) {
        Some(uid) => links.by_uid.contains_key(uid),
        None => named.is_some_and(|(namespace, name)| links.table.get(&ObjectName::new(namespace, name)).is_some()),
    };
    affected.orphans |= !is_known;
}
