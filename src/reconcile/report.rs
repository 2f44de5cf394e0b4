//! What a pass says about what it did: one line a change of state, and one a failure.

use std::time::Duration;

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent};
use instancelink_core::effect::Effect;

use crate::telemetry::metrics::Metrics;
use instancelink_cluster::{CallError, LinkKey, ObjectName};

/// A status was written: where the state changed, says so.
pub(super) fn transition(metrics: &Metrics, before: &InstanceLink, after: &InstanceLink) {
    let (from, to) = (before.state(), after.state());
    if from == to {
        return;
    }
    metrics.transition(from, to);
    let link = ObjectName::of(&after.metadata);
    tracing::info!(namespace = %link.namespace, name = %link.name, %from, %to, "state changed");
    if let Some(status) = after.status.as_ref()
        && !to.is_transitional()
        && let Some(took) = time_on_the_way(status)
    {
        metrics.rested(from, to, took);
    }
}

/// Time from the first of the transitional states before this resting one, by the link's own history.
fn time_on_the_way(status: &InstanceLinkStatus) -> Option<Duration> {
    let (last, earlier) = status.history.split_last()?;
    let way = earlier.iter().rev().take_while(|e| e.state.is_transitional());
    let first = way.last()?;
    Duration::try_from(last.at.0.duration_since(first.at.0)).ok()
}

/// A request of a user was taken.
pub(super) fn taken(link: &InstanceLink, intent: &Intent) {
    let link = ObjectName::of(&link.metadata);
    tracing::info!(
        namespace = %link.namespace,
        name = %link.name,
        seq = intent.seq,
        action = intent.action,
        id = intent.id,
        verdict = ?intent.verdict,
        reason = intent.reason,
        manager = intent.manager,
        "action taken"
    );
}

/// A request failed. Conflicts are everyday life, all else is worth a line.
pub(super) fn failure(key: &LinkKey, effect: &Effect, error: &CallError) {
    let what = what_is(effect);
    match error {
        CallError::Conflict(_) | CallError::AlreadyExists(_) | CallError::NotFound(_) => {
            tracing::debug!(link = %key, what, %error, "somebody wrote in between; looking again");
        }
        CallError::Forbidden(_) | CallError::Refused { .. } => {
            tracing::error!(link = %key, what, %error, "a write on a link was refused; trying again");
        }
        CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Server { .. }
        | CallError::Transport(_) => tracing::warn!(link = %key, what, %error, "a request failed; trying again"),
    }
}

fn what_is(effect: &Effect) -> String {
    match effect {
        Effect::AcceptAction { .. } => "take the action".to_owned(),
        Effect::WriteIntent { .. } => "write the intent".to_owned(),
        Effect::AddFinalizer => "add the finalizer".to_owned(),
        Effect::DropFinalizer => "drop the finalizer".to_owned(),
        Effect::WriteStatus { .. } => "write the status".to_owned(),
        Effect::DeleteLink => "delete the link".to_owned(),
        Effect::Create { child } => format!("create {}", child.key()),
        Effect::Replace { child, .. } => format!("update {}", child.key()),
        Effect::Delete { key, .. } => format!("delete {key}"),
        Effect::Publish(_) => "publish an event".to_owned(),
    }
}
