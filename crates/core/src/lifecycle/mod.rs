//! The lifecycle: which write is due next (lifecycle#one-pass).
//!
//! [`step`] looks at one snapshot and returns the next group of writes, or that nothing is due. It has no memory of
//! earlier calls: after a crash between two groups, the next call continues from the observed state.

mod alias;
mod answered;
mod awaiting;
mod cause;
mod condition;
mod conditions;
mod delayed_hold;
mod deletion;
mod enforced;
mod facts;
mod halves;
mod held;
mod message;
mod next_step;
mod programmed;
mod refused;
mod shadow;
mod status;
mod table;
mod ttl;
mod unsaid;
mod unwritable;
mod verified;
mod wait;
mod walk;

#[cfg(test)]
mod tests;

use std::iter;

use instancelink_api::condition::Reason;
use instancelink_api::{State, Verdict, keys};
use jiff::Timestamp;

use crate::action::{Decision, Legality, Request, cell, expire, judge, parse, take};
use crate::effect::{Effect, Event, Step};
use crate::resolve::{external_lookups, scaled_kinds};
use crate::snapshot::Snapshot;
use facts::Facts;
use next_step::NextStep;
use wait::Wait;

pub use answered::take_answer;
pub use deletion::{Deletion, deletion};
pub use facts::Goal;
pub use refused::refuse;
pub use table::{Process, TABLE, is_edge};
pub use unsaid::{RefusedSince, event_about, event_of_refusal};

/// The next group of writes, or nothing.
pub fn step(snapshot: &Snapshot) -> Step {
    if scaled_kinds::awaits_list(snapshot) || external_lookups::awaits_answer(snapshot) {
        // An object that is not listed yet may exist, and a name may have addresses: until that is known, nothing starts and
        // nothing ends.
        return awaiting::step(snapshot);
    }
    let f = Facts::of(snapshot);
    if unwritable::is_refused(snapshot) {
        return refused::step(&f);
    }
    let request = waiting_request(&f);
    if !f.memory.outstanding
        && !f.memory.is_full()
        && let Some(request) = &request
    {
        return Step::Act(take_request(&f, request));
    }
    if f.memory.intent_stale
        && !f.deleting
        && let Some(last) = &f.memory.last
    {
        return Step::Act(vec![Effect::WriteIntent {
            intent: Box::new(last.clone()),
        }]);
    }
    if f.state == State::Removed
        && !f.deleting
        && request.is_none()
        && !f.memory.is_full()
        && ttl::removed_until(&f).is_some_and(|until| until <= snapshot.now)
    {
        let intent = expire(&f.memory, &f.name(), snapshot.now);
        return Step::Act(vec![Effect::WriteIntent {
            intent: Box::new(intent),
        }]);
    }
    if lacks_finalizer(&f) {
        return Step::Act(vec![Effect::AddFinalizer]);
    }
    match walk::next_step(&f) {
        NextStep::Enter(state) => Step::Act(write_status(&f, state, &programmed::wait_on_entry(&f, state))),
        NextStep::Work(effects) => Step::Act(effects),
        NextStep::Rest(wait) => {
            let effects = write_status(&f, f.state, &wait);
            if effects.is_empty() {
                Step::Settled {
                    wake: earliest(wait.wake, snapshot.disputes.wake(snapshot.now)),
                    retry: wait.retry,
                }
            } else {
                Step::Act(effects)
            }
        }
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The request in the annotation, if it was not handled before.
fn waiting_request(f: &Facts<'_>) -> Option<Request> {
    let value = f.link.metadata.annotations.as_ref()?.get(keys::ACTION)?;
    let request = parse(value)?;
    let remembered = request.remembered_as().is_some_and(|value| f.memory.remembers(&value));
    (!remembered).then_some(request)
}

/// One write takes the request (lifecycle#take-in-one-write); the event follows it.
fn take_request(f: &Facts<'_>, request: &Request) -> Vec<Effect> {
    let (shown, cell, decision) = match request {
        Request::Action { verb, .. } => (
            verb.as_str(),
            cell(f.state, *verb),
            judge(*verb, &message::action_context(f)),
        ),
        Request::Invalid { shown, .. } => (
            shown.as_str(),
            Legality::No,
            Decision::Rejected("InvalidValue", message::invalid_value(shown)),
        ),
    };
    let intent = take(
        &f.memory,
        &f.name(),
        request,
        cell,
        &decision,
        &f.s.link.action_manager,
        f.s.now,
    );
    let (reason, note) = match decision {
        Decision::Accepted => ("ActionAccepted", format!("{shown} accepted in state {}", f.state)),
        Decision::Rejected(reason, message) => (reason, message),
    };
    let event = Event {
        warning: intent.verdict == Verdict::Rejected,
        reason: reason.to_owned(),
        action: shown.to_owned(),
        note,
    };
    let take = Effect::AcceptAction {
        intent: Box::new(intent),
        // A value outside the grammar stays, so that one kept in Git is reported only once: lifecycle#handled-values.
        remove_action: matches!(request, Request::Action { .. }),
        add_finalizer: lacks_finalizer(f),
    };
    iter::once(take).chain(publish(f, event)).collect()
}

/// A namespace that is being deleted takes nothing new, events neither: telling there would be a refused request for each
/// of its links.
fn publish(f: &Facts<'_>, event: Event) -> Option<Effect> {
    (!f.s.namespace.terminating).then_some(Effect::Publish(event))
}

fn lacks_finalizer(f: &Facts<'_>) -> bool {
    !f.deleting && f.state != State::Purged && !walk::has_finalizer(f)
}

/// The status write that is due, if the status is not already so; with it an event for each problem entered.
fn write_status(f: &Facts<'_>, state: State, wait: &Wait) -> Vec<Effect> {
    let status = status::status(f, state, wait);
    // A field that cannot be read is not in `f.status`, and is overwritten in any case.
    let is_readable =
        f.s.link
            .unusable
            .as_ref()
            .is_none_or(|why| why.status_field().is_none());
    if status == f.status && is_readable {
        return Vec::new();
    }
    let problems = status::new_problems(f, &status);
    let mut effects = vec![Effect::WriteStatus {
        status: Box::new(status),
    }];
    effects.extend(problems.into_iter().filter_map(|(reason, note)| {
        let event = Event {
            warning: true,
            reason,
            action: Reason::Transitioning.as_str().to_owned(),
            note: message::as_note(&note),
        };
        publish(f, event)
    }));
    effects
}
