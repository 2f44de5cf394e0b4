//! Waits for what others hold: children whose deletion is refused or held by a finalizer, and the link's own object
//! (lifecycle#forbidden-deletion-waits, lifecycle#finalizers-of-others).

use instancelink_api::condition::Reason;
use instancelink_api::keys;

use super::facts::Facts;
use super::wait::Wait;
use crate::child::is_of_kubernetes;
use crate::commands;
use crate::dataplane::{self, is_overdue, overdue_at};

/// The wait for the deletion of children.
pub(super) fn by_children(f: &Facts<'_>, message: String) -> Wait {
    let doubt = dataplane::unconfirmed(f.s);
    let refused = f.s.refusals.values().next().or(doubt.as_ref());
    let held_since = dataplane::held_since(f.s);
    let reason = match refused {
        Some(refusal) => refusal.reason,
        None if f.s.disputes.wake(f.s.now).is_some() => Reason::AlteredByOthers,
        None if is_overdue(f.s, held_since) => Reason::FinalizersRemain,
        None => Reason::Pending,
    };
    Wait {
        message,
        problem: Some(reason),
        stalled: reason.waits_for_a_person().then_some(reason),
        retry: true,
        wake: held_since.map(overdue_at).filter(|at| *at > f.s.now),
        ..Wait::default()
    }
}

/// The wait of a link that is being deleted and has dropped its finalizer: for the finalizers of others, if there are any.
pub(super) fn by_finalizers(f: &Facts<'_>) -> Wait {
    let meta = &f.link.metadata;
    let deleted = meta.deletion_timestamp.as_ref().map(|time| time.0);
    let is_of_others = |name: &String| name != keys::FINALIZER && !is_of_kubernetes(name);
    let finalizers = || meta.finalizers.iter().flatten();
    let since = f.entered_at().or(deleted).filter(|_| finalizers().any(is_of_others));
    let Some(since) = since else {
        return Wait::default();
    };
    if !is_overdue(f.s, Some(since)) {
        return Wait {
            wake: Some(overdue_at(since)),
            ..Wait::default()
        };
    }
    let others = finalizers().filter(|name| *name != keys::FINALIZER);
    let others: Vec<&str> = others.map(String::as_str).collect();
    let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
    Wait {
        message: format!(
            "nothing of the link is left, but finalizers of other clients keep its object: {}; wait for the controllers that set \
             them, or remove them: {}",
            others.join(", "),
            commands::remove_finalizers(namespace.unwrap_or_default(), "il", name.unwrap_or_default())
        ),
        stalled: Some(Reason::FinalizersRemain),
        ..Wait::default()
    }
}
