//! What a pass reports about its work: metrics, events and log lines.

use std::time::Duration;

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent};
use instancelink_cluster::{CallError, LinkKey, ObjectName};
use instancelink_core::child::{DesiredChild, Key};
use instancelink_core::effect::{Answer, Effect, Event};
use instancelink_core::lifecycle;
use instancelink_core::snapshot::Snapshot;
use tokio::time::Instant;

use super::running::Report;
use crate::events::Publisher;
use crate::telemetry::metrics::Metrics;

/// Records a group of effects and its answers. `endpoints_since` is the time of a change of endpoints that no slice shows yet.
pub(super) fn group(
    metrics: &Metrics,
    events: &Publisher,
    snapshot: &Snapshot,
    effects: &[Effect],
    answers: &[Result<Answer, CallError>],
    endpoints_since: &mut Option<Instant>,
) {
    for event in due_events(effects, answers) {
        events.publish(snapshot, event);
    }
    let before = &snapshot.link.object;
    for (effect, answer) in effects.iter().zip(answers) {
        match (effect, answer) {
            (Effect::AcceptAction { intent, .. }, Ok(Answer::Link(_))) => {
                metrics.count_action(&intent.action, intent.verdict);
                action(before, intent);
            }
            (Effect::WriteStatus { .. }, Ok(Answer::Link(after))) => transition(metrics, before, after),
            (Effect::Create { child } | Effect::Replace { child, .. }, Ok(Answer::Child(_)))
                if matches!(child, DesiredChild::Slice(_)) =>
            {
                if let Some(since) = endpoints_since.take() {
                    metrics.time_propagation(since.elapsed());
                }
            }
            (Effect::Delete { key, .. }, Ok(Answer::ChildGone(_) | Answer::Child(_))) => {
                deletion(events, snapshot, key);
            }
            _ => {}
        }
    }
}

/// A child was deleted. Outside a transition nothing else would show it.
fn deletion(events: &Publisher, snapshot: &Snapshot, child: &Key) {
    let Some(deletion) = lifecycle::deletion(snapshot, child) else {
        return;
    };
    let link = ObjectName::of(&snapshot.link.object.metadata);
    tracing::info!(%link, %child, why = deletion.why, "a child was deleted outside a transition");
    if let Some(event) = &deletion.event {
        events.publish(snapshot, event);
    }
}

/// The events of a group. They are about its writes, so they are due only if all writes succeeded. After a failure the group
/// is decided again, and so are its events.
fn due_events<'a>(effects: &'a [Effect], answers: &[Result<Answer, CallError>]) -> impl Iterator<Item = &'a Event> {
    let succeeded = answers.iter().all(Result::is_ok);
    effects.iter().filter_map(move |effect| match effect {
        Effect::Publish(event) if succeeded => Some(event),
        _ => None,
    })
}

/// A status was written, which may have changed the state.
fn transition(metrics: &Metrics, before: &InstanceLink, after: &InstanceLink) {
    let (from, to) = (before.state(), after.state());
    if from == to {
        return;
    }
    metrics.count_transition(from, to);
    let link = ObjectName::of(&after.metadata);
    tracing::info!(namespace = %link.namespace, name = %link.name, %from, %to, "state changed");
    if let Some(status) = after.status.as_ref()
        && !to.is_transitional()
        && let Some(took) = transition_time(status)
    {
        metrics.time_transition(from, to, took);
    }
}

/// The time from the first of the transitional states before this resting one, by the link's own history.
fn transition_time(status: &InstanceLinkStatus) -> Option<Duration> {
    let (last, earlier) = status.history.split_last()?;
    let way = earlier.iter().rev().take_while(|e| e.state.is_transitional());
    let first = way.last()?;
    Duration::try_from(last.at.0.duration_since(first.at.0)).ok()
}

/// An action was accepted or rejected.
fn action(link: &InstanceLink, intent: &Intent) {
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
        "action judged"
    );
}

/// A request failed. Conflicts are expected; each other failure has a line at a level that is on.
pub(super) fn failure(key: &LinkKey, effect: &Effect, error: &CallError) {
    let request = name_of(effect);
    match error {
        CallError::Conflict(_) | CallError::AlreadyExists(_) | CallError::NotFound(_) => {
            tracing::debug!(link = %key, request, %error, "another client wrote in between; the link is looked at again");
        }
        CallError::Forbidden(_) | CallError::Refused { .. } => {
            tracing::error!(
                link = %key,
                request,
                %error,
                "the API server refused a write of a link; retrying. If a permission is missing, install the operator's \
                 ClusterRole again"
            );
        }
        CallError::Terminating(_)
        | CallError::Overloaded { .. }
        | CallError::Server { .. }
        | CallError::Transport(_) => tracing::warn!(link = %key, request, %error, "a request failed; retrying"),
    }
}

/// A pass ended after a long time.
pub(super) fn slow_pass(report: &Report) {
    let Report {
        link,
        took,
        work,
        of_it,
    } = report;
    tracing::warn!(
        %link, ?took, longest = %work, of_it = ?of_it,
        "a pass was slow. If the longest part is a request, look at the API server and its admission webhooks; else at the \
         size of the objects that this link depends on"
    );
}

/// A pass does not end.
pub(super) fn stuck_pass(report: &Report) {
    let Report {
        link,
        took,
        work,
        of_it,
    } = report;
    tracing::error!(
        %link, ?took, now = %work, of_it = ?of_it,
        "a pass does not end, and the links of its source wait for it. If there is no line that it was slow within some \
         minutes, restart the operator and report this line"
    );
}

/// A child could not be read whose last write is unconfirmed.
pub(super) fn unread_child(key: &LinkKey, child: &Key, error: &CallError) {
    tracing::warn!(
        link = %key,
        %child,
        %error,
        "a child whose last write had no answer cannot be read, so the link is not changed; retrying. If a permission is \
         missing, install the operator's ClusterRole again"
    );
}

/// Children were refused. The link's conditions say so; this is for a search in the logs.
pub(super) fn refusals(snapshot: &Snapshot) {
    for (key, refusal) in &snapshot.refusals {
        tracing::debug!(child = %key, reason = refusal.reason.as_str(), message = refusal.message, "child refused");
    }
}

fn name_of(effect: &Effect) -> String {
    match effect {
        Effect::AcceptAction { .. } => "accept the action".to_owned(),
        Effect::WriteIntent { .. } => "write the intent".to_owned(),
        Effect::AddFinalizer => "add the finalizer".to_owned(),
        Effect::DropFinalizer => "remove the finalizer".to_owned(),
        Effect::WriteStatus { .. } => "write the status".to_owned(),
        Effect::DeleteLink => "delete the link".to_owned(),
        Effect::Create { child } => format!("create {}", child.key()),
        Effect::Replace { child, .. } => format!("update {}", child.key()),
        Effect::Delete { key, .. } => format!("delete {key}"),
        Effect::Publish(_) => "publish an event".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_published_only_if_the_write_that_it_is_about_succeeded() {
        let event = Event {
            warning: false,
            reason: "ActionAccepted".to_owned(),
            action: "deactivate".to_owned(),
            note: "deactivate accepted in state active".to_owned(),
        };
        let effects = [Effect::AddFinalizer, Effect::Publish(event)];
        let conflict = || Err(CallError::Conflict("another client wrote in between".to_owned()));
        assert_eq!(due_events(&effects, &[Ok(Answer::Done), Ok(Answer::Done)]).count(), 1);
        assert_eq!(due_events(&effects, &[conflict(), Ok(Answer::Done)]).count(), 0);
    }
}
