//! Reports of deletions outside a transition (contract#events). A transition shows in the state; these would show nowhere.

use super::facts::Facts;
use crate::child::Key;
use crate::dataplane::why_deleted;
use crate::effect::Event;
use crate::snapshot::Snapshot;

/// A child was deleted while its link rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Why, for the log.
    pub why: String,
    /// The event on the link; none in a namespace that is being deleted, which takes no new objects.
    pub event: Option<Event>,
}

/// What to report of a child that the operator deleted. `s` is the snapshot that the deletion was decided on. `None` in a
/// transition.
pub fn deletion(s: &Snapshot, child: &Key) -> Option<Deletion> {
    if s.link.object.state().is_transitional() {
        return None;
    }
    let f = Facts::of(s);
    let why = why_deleted(s, f.plan.as_ref().ok(), child);
    let event = (!s.namespace.terminating).then(|| Event::child_deleted(child, &why));
    Some(Deletion { why, event })
}
