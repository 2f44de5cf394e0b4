//! Children that the finalizers of other clients keep (lifecycle#finalizers-of-others).

use jiff::{SignedDuration, Timestamp};

use super::ownership::is_own;
use crate::child::with_observed;
use crate::marks::is_shared_child;
use crate::snapshot::Snapshot;

/// A finalizer that goes within this time is no problem: a controller is at work.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// When the link becomes `Stalled` because of what has been held since then.
pub(crate) fn overdue_at(since: Timestamp) -> Timestamp {
    since.checked_add(PATIENCE).unwrap_or(Timestamp::MAX)
}

/// True if the link is `Stalled` because of what has been held since then.
pub(crate) fn is_overdue(s: &Snapshot, since: Option<Timestamp>) -> bool {
    since.is_some_and(|since| overdue_at(since) <= s.now)
}

/// Since when a child of this link, or of its source, has been held: the earliest. The link does not wait for others
/// (lifecycle#no-wait-for-others).
pub(crate) fn held_since(s: &Snapshot) -> Option<Timestamp> {
    let own = s.link.object.metadata.namespace.as_deref();
    let held = s.children.all().filter_map(|child| {
        with_observed!(&child, K(found) => {
            let is_waited_for = own == Some(&found.object.namespace) && (is_own(s, found) || is_shared_child(found));
            found.held_since.filter(|_| is_waited_for)
        })
    });
    held.min()
}
