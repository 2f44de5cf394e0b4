//! The walk: what a link does in each state to reach its goal (lifecycle#walk).

use instancelink_api::State;
use instancelink_api::condition::Reason;
use instancelink_api::keys;
use jiff::SignedDuration;

use super::facts::{Facts, Goal};
use super::wait::{Wait, countdown};
use crate::dataplane::{self, Teardown, TeardownNow};
use crate::effect::Effect;
use crate::refusal::joined;

/// What is due in the present state.
#[derive(Debug)]
pub(crate) enum Due {
    /// Write this state.
    Enter(State),
    /// Write these children (or let the link go).
    Work(Vec<Effect>),
    /// Nothing now.
    Rest(Wait),
}

pub(crate) fn due(f: &Facts<'_>) -> Due {
    match f.state {
        State::Requested => first_steps(f).map_or(Due::Enter(State::Registering), Due::Enter),
        State::Registering => registering(f),
        State::Activating => activating(f),
        State::Active => active(f),
        State::UpdatingActive => updating_active(f),
        State::Deactivating => deactivating(f),
        State::Inactive => inactive(f),
        State::UpdatingInactive => Due::Enter(leaving(f.goal).unwrap_or(State::Inactive)),
        State::Removing => cleared(
            f,
            Due::Enter(if f.goal == Goal::Gone {
                State::Purging
            } else {
                State::Removed
            }),
        ),
        State::Removed => removed(f),
        State::Restoring => Due::Enter(if f.goal == Goal::Gone {
            State::Purging
        } else {
            State::Inactive
        }),
        State::Purging if f.deleting => drop_finalizer(f),
        State::Purging => cleared(f, Due::Enter(State::Purged)),
        State::Purged => purged(f),
    }
}

/// From requested and registering: the first state there is something to do in, if it is there yet.
fn first_steps(f: &Facts<'_>) -> Option<State> {
    if !f.has_children
        && let Some(state) = leaving(f.goal)
    {
        return Some(state);
    }
    if !f.registrable() {
        return None;
    }
    match f.goal {
        Goal::Active => Some(State::Activating),
        Goal::Inactive if !f.has_children => Some(State::Inactive),
        Goal::Inactive | Goal::Removed | Goal::Purged | Goal::Gone => None,
    }
}

/// The next state of a link without children that is to go away.
const fn leaving(goal: Goal) -> Option<State> {
    match goal {
        Goal::Gone => Some(State::Purging),
        Goal::Removed | Goal::Purged => Some(State::Removing),
        Goal::Active | Goal::Inactive => None,
    }
}

fn registering(f: &Facts<'_>) -> Due {
    if let Some(state) = first_steps(f) {
        return Due::Enter(state);
    }
    if f.has_children {
        return Due::Enter(State::Deactivating);
    }
    let message = f
        .hold
        .as_ref()
        .map_or_else(|| "waiting for the source".to_owned(), |hold| hold.message.clone());
    Due::Rest(Wait {
        message,
        stalled: stalled_by_hold(f),
        ..Wait::default()
    })
}

fn activating(f: &Facts<'_>) -> Due {
    let patience = patience(f);
    // What is built for a target that is not there would have to be written again when it comes.
    if f.goal == Goal::Active
        && f.s.target.is_none()
        && !f.has_children
        && f.plan.is_ok()
        && f.source_usable()
        && let Some(patience) = patience
    {
        return Due::Rest(patience);
    }
    match (program(f), patience) {
        (Programmed::No(due), _) => due,
        (Programmed::Yes { ready: 0 }, Some(patience)) => Due::Rest(patience),
        (Programmed::Yes { .. }, _) => Due::Enter(State::Active),
    }
}

/// How an activation waits for its target; none where it has no target, or has waited for long enough.
fn patience(f: &Facts<'_>) -> Option<Wait> {
    f.link.spec.target_instance_ref.as_ref()?;
    let seconds = f.link.spec.target_wait_seconds();
    let wait = SignedDuration::from_secs(seconds);
    let deadline = f
        .entered_at()?
        .checked_add(wait)
        .ok()
        .filter(|deadline| f.s.now < *deadline)?;
    let (progress, wake) = countdown(f.s.now, deadline, wait);
    Some(Wait {
        message: format!("waiting up to {seconds} s for a ready endpoint of {}", target_name(f)),
        progress,
        wake: Some(wake),
        ..Wait::default()
    })
}

fn active(f: &Facts<'_>) -> Due {
    if f.goal != Goal::Active {
        return Due::Enter(State::Deactivating);
    }
    if !f.is_programmed() {
        return Due::Enter(State::UpdatingActive);
    }
    match program(f) {
        // An operator that has just started is no news for a link at rest.
        Programmed::No(Due::Rest(wait)) if dataplane::is_unseen(f.s) => Due::Rest(Wait {
            as_before: true,
            ..wait
        }),
        Programmed::No(due) => due,
        Programmed::Yes { .. } => Due::Rest(Wait::default()),
    }
}

fn updating_active(f: &Facts<'_>) -> Due {
    match program(f) {
        Programmed::No(due) => due,
        Programmed::Yes { .. } => Due::Enter(State::Active),
    }
}

/// How far the children of a link that is up are what they should be.
enum Programmed {
    /// All of them are confirmed; so many endpoints are ready.
    Yes { ready: usize },
    /// Not yet: this is due.
    No(Due),
}

fn program(f: &Facts<'_>) -> Programmed {
    if f.goal != Goal::Active {
        return Programmed::No(Due::Enter(State::Deactivating));
    }
    let plan = match &f.plan {
        Ok(plan) => plan,
        Err(unservable) => {
            let shrunk = dataplane::prune(f.s);
            return Programmed::No(if shrunk.is_empty() {
                Due::Rest(Wait {
                    message: unservable.message.clone(),
                    stalled: Some(unservable.reason),
                    ..Wait::default()
                })
            } else {
                Due::Work(shrunk)
            });
        }
    };
    if !f.source_usable() {
        // However long that lasts, a pod that is gone does not go on answering.
        let shrunk = dataplane::prune(f.s);
        if !shrunk.is_empty() {
            return Programmed::No(Due::Work(shrunk));
        }
        let message = f
            .hold
            .as_ref()
            .map_or_else(|| "the namespace is being deleted".to_owned(), |h| h.message.clone());
        return Programmed::No(Due::Rest(Wait {
            message,
            ..Wait::default()
        }));
    }
    let writes = dataplane::bring_up(f.s, plan);
    if !writes.is_empty() {
        return Programmed::No(Due::Work(writes));
    }
    let problems = dataplane::problems(f.s, plan);
    // What a person has to mend is told before what may mend itself.
    let gravest = problems
        .iter()
        .find(|p| p.reason.waits_for_a_person())
        .or(problems.first());
    if let Some(gravest) = gravest {
        let message = joined(problems.iter().map(|p| p.message.clone()));
        return Programmed::No(Due::Rest(Wait {
            message,
            problem: Some(gravest.reason),
            stalled: gravest.reason.waits_for_a_person().then_some(gravest.reason),
            refused: true,
            ..Wait::default()
        }));
    }
    debug_assert!(dataplane::is_up(f.s, plan), "what is missing is due or in the way");
    Programmed::Yes { ready: plan.ready }
}

fn deactivating(f: &Facts<'_>) -> Due {
    // There is no drain where consent is lost or the namespace terminates: lifecycle#drain.
    let drain = (!f.no_consent && !f.s.namespace.terminating).then(|| f.link.spec.drain_seconds());
    match dataplane::take_down(f.s, drain) {
        Teardown::Act(effects) => Due::Work(effects),
        Teardown::Draining { from, until } => {
            let (progress, wake) = countdown(f.s.now, until, until.duration_since(from));
            let message = format!(
                "the alias no longer resolves; the operator deletes the link's objects after drainSeconds ({} s), so that open \
                 connections can end",
                f.link.spec.drain_seconds()
            );
            Due::Rest(Wait {
                message,
                progress,
                wake: Some(wake),
                ..Wait::default()
            })
        }
        Teardown::Waiting(message) => waiting_for_deletion(f, message),
        Teardown::Done if f.goal == Goal::Gone => Due::Enter(State::Purging),
        Teardown::Done => Due::Enter(State::Inactive),
    }
}

fn inactive(f: &Facts<'_>) -> Due {
    if let Some(state) = leaving(f.goal) {
        return Due::Enter(state);
    }
    if !f.is_programmed() {
        return Due::Enter(State::UpdatingInactive);
    }
    if f.goal == Goal::Active && f.source_usable() {
        return Due::Enter(State::Activating);
    }
    let message = f
        .hold
        .as_ref()
        .filter(|_| f.wish == Goal::Active)
        .map(|h| h.message.clone())
        .unwrap_or_default();
    cleared(
        f,
        Due::Rest(Wait {
            message,
            stalled: stalled_by_hold(f).filter(|_| f.wish == Goal::Active),
            ..Wait::default()
        }),
    )
}

fn removed(f: &Facts<'_>) -> Due {
    match f.goal {
        Goal::Purged | Goal::Gone => Due::Enter(State::Purging),
        Goal::Active | Goal::Inactive => Due::Enter(State::Restoring),
        Goal::Removed => cleared(
            f,
            Due::Rest(Wait {
                wake: super::ttl::removed_until(f),
                ..Wait::default()
            }),
        ),
    }
}

fn purged(f: &Facts<'_>) -> Due {
    if f.deleting {
        return drop_finalizer(f);
    }
    match super::ttl::purged_until(f) {
        Some(until) if until <= f.s.now => Due::Work(vec![Effect::DeleteLink]),
        wake => cleared(
            f,
            Due::Rest(Wait {
                wake,
                ..Wait::default()
            }),
        ),
    }
}

/// The finalizer goes when nothing of the link is left: lifecycle#delete-through-purging.
fn drop_finalizer(f: &Facts<'_>) -> Due {
    let done = if has_finalizer(f) {
        Due::Work(vec![Effect::DropFinalizer])
    } else {
        Due::Rest(Wait::default())
    };
    cleared(f, done)
}

/// Deletes what is still found, without a drain, also a stray child of a resting link (lifecycle#repair-in-place). Then
/// `done` is due.
fn cleared(f: &Facts<'_>, done: Due) -> Due {
    match dataplane::teardown_now(f.s) {
        TeardownNow::Act(effects) => Due::Work(effects),
        TeardownNow::Waiting(message) => waiting_for_deletion(f, message),
        TeardownNow::Done => done,
    }
}

fn waiting_for_deletion(f: &Facts<'_>, message: String) -> Due {
    let doubt = dataplane::unconfirmed(f.s);
    let reason =
        f.s.refusals
            .values()
            .next()
            .or(doubt.as_ref())
            .map_or(Reason::Pending, |refusal| refusal.reason);
    Due::Rest(Wait {
        message,
        problem: Some(reason),
        stalled: reason.waits_for_a_person().then_some(reason),
        refused: true,
        ..Wait::default()
    })
}

pub(crate) fn has_finalizer(f: &Facts<'_>) -> bool {
    f.link
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|name| name == keys::FINALIZER)
}

fn stalled_by_hold(f: &Facts<'_>) -> Option<Reason> {
    f.hold
        .as_ref()
        .map(|hold| hold.reason)
        .filter(|reason| reason.waits_for_a_person())
}

fn target_name(f: &Facts<'_>) -> String {
    f.link
        .spec
        .target_instance_ref
        .as_ref()
        .map(|t| format!("{} {}", t.kind, t.name))
        .unwrap_or_default()
}
