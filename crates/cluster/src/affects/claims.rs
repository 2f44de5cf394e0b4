//! Children are claims: a link with a slice, an entry in an environment, or a Secret has its alias. Others wait for the
//! alias until the last of these is gone, so they are woken when the first appears and when the last goes.

use std::collections::BTreeSet;

use crate::affected::{Affected, Cause};
use crate::index::Index;

/// Adds the rivals of links whose claim this change begins or ends. `before` and `after` are the UIDs that the child
/// mentioned and mentions now; other words among them do no harm, nor do links of other namespaces.
///
/// After our own writes too: the watch shows such a write only as its echo, which concerns no other link.
pub(super) fn extend_with_rivals<'a>(
    index: &Index,
    namespace: &str,
    before: impl IntoIterator<Item = &'a str>,
    after: impl IntoIterator<Item = &'a str>,
    affected: &mut Affected,
) {
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (before.into_iter().collect(), after.into_iter().collect());
    for uid in before.symmetric_difference(&after) {
        let Some(key) = index.links.by_uid.get(*uid).filter(|key| *key.namespace == *namespace) else {
            continue;
        };
        // The index is up to date with the change, so this child is counted if it mentions the link now.
        let others = index
            .count_claims(&key.namespace, uid)
            .saturating_sub(usize::from(after.contains(uid)));
        if others == 0 {
            affected.extend(&index.links.rivals_of(key), Cause::Change);
        }
    }
}
