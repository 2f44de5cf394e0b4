//! The walk: what a link does in each state to reach its goal (lifecycle#walk).

use instancelink_api::State;
use instancelink_api::condition::Reason;
use instancelink_api::keys;
use jiff::SignedDuration;

use super::facts::{Facts, Goal};
use super::held;
use super::next_step::NextStep;
use super::programmed::{Programmed, program};
use super::wait::{Wait, countdown};
use crate::dataplane::{self, Teardown, TeardownNow};
use crate::effect::Effect;

pub(crate) fn next_step(f: &Facts<'_>) -> NextStep {
    match f.state {
        State::Requested => first_steps(f).map_or(NextStep::Enter(State::Registering), NextStep::Enter),
        State::Registering => registering(f),
        State::Activating => activating(f),
        State::Active => active(f),
        State::UpdatingActive => updating_active(f),
        State::Deactivating => deactivating(f),
        State::Inactive => inactive(f),
        State::UpdatingInactive => NextStep::Enter(leaving(f.goal).unwrap_or(State::Inactive)),
        State::Removing => cleared(
            f,
            NextStep::Enter(if f.goal == Goal::Gone {
                State::Purging
            } else {
                State::Removed
            }),
        ),
        State::Removed => removed(f),
        State::Restoring => NextStep::Enter(if f.goal == Goal::Gone {
            State::Purging
        } else {
            State::Inactive
        }),
        State::Purging if f.deleting => drop_finalizer(f),
        State::Purging => cleared(f, NextStep::Enter(State::Purged)),
        State::Purged => purged(f),
    }
}

/// The state that follows requested or registering. `None` if the link has to wait there.
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

/// The next state of a link without children, if it is to go away.
const fn leaving(goal: Goal) -> Option<State> {
    match goal {
        Goal::Gone => Some(State::Purging),
        Goal::Removed | Goal::Purged => Some(State::Removing),
        Goal::Active | Goal::Inactive => None,
    }
}

fn registering(f: &Facts<'_>) -> NextStep {
    if let Some(state) = first_steps(f) {
        return NextStep::Enter(state);
    }
    if f.has_children {
        return NextStep::Enter(State::Deactivating);
    }
    let message = f
        .hold
        .as_ref()
        .map_or_else(|| "waiting for the source".to_owned(), |hold| hold.message.clone());
    NextStep::Rest(Wait {
        message,
        stalled: stalled_by_hold(f),
        ..Wait::default()
    })
}

fn activating(f: &Facts<'_>) -> NextStep {
    let target_wait = target_wait(f);
    // Children that are built without the target would have to be written again when it exists.
    if f.goal == Goal::Active
        && f.s.target.is_none()
        && !f.has_children
        && f.plan.is_ok()
        && f.source_usable()
        && let Some(target_wait) = target_wait
    {
        return NextStep::Rest(target_wait);
    }
    match (program(f), target_wait) {
        (Programmed::No(due), _) => due,
        (Programmed::Yes { ready: 0, .. }, Some(target_wait)) => NextStep::Rest(target_wait),
        (Programmed::Yes { .. }, _) => NextStep::Enter(State::Active),
    }
}

/// The wait of an activation for its target; none without a target, or when the waiting time is over.
fn target_wait(f: &Facts<'_>) -> Option<Wait> {
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

fn active(f: &Facts<'_>) -> NextStep {
    if f.goal != Goal::Active {
        return NextStep::Enter(State::Deactivating);
    }
    if !f.is_programmed() {
        return NextStep::Enter(State::UpdatingActive);
    }
    match program(f) {
        // At the start of an operator the Secrets are not read yet. For a link at rest that is no reason to write.
        Programmed::No(NextStep::Rest(wait)) if dataplane::is_unseen(f.s) => NextStep::Rest(Wait {
            as_before: true,
            ..wait
        }),
        Programmed::No(due) => due,
        Programmed::Yes { wait, .. } => NextStep::Rest(wait),
    }
}

fn updating_active(f: &Facts<'_>) -> NextStep {
    match program(f) {
        Programmed::No(due) => due,
        Programmed::Yes { .. } => NextStep::Enter(State::Active),
    }
}

fn deactivating(f: &Facts<'_>) -> NextStep {
    // There is no drain where consent is lost, the link cannot be read, or the namespace terminates: lifecycle#drain.
    let drain = (!f.no_consent && !f.is_unusable() && !f.s.namespace.terminating).then(|| f.link.spec.drain_seconds());
    match dataplane::take_down(f.s, drain) {
        Teardown::Act(effects) => NextStep::Work(effects),
        Teardown::Draining { from, until } => {
            let (progress, wake) = countdown(f.s.now, until, until.duration_since(from));
            let message = format!(
                "the alias no longer resolves; the operator deletes the link's objects after drainSeconds ({} s), so that open \
                 connections can end",
                f.link.spec.drain_seconds()
            );
            NextStep::Rest(Wait {
                message,
                progress,
                wake: Some(wake),
                ..Wait::default()
            })
        }
        Teardown::Waiting(message) => NextStep::Rest(held::by_children(f, message)),
        Teardown::Done if f.goal == Goal::Gone => NextStep::Enter(State::Purging),
        Teardown::Done => NextStep::Enter(State::Inactive),
    }
}

fn inactive(f: &Facts<'_>) -> NextStep {
    if let Some(state) = leaving(f.goal) {
        return NextStep::Enter(state);
    }
    if !f.is_programmed() {
        return NextStep::Enter(State::UpdatingInactive);
    }
    if f.goal == Goal::Active && f.source_usable() {
        return NextStep::Enter(State::Activating);
    }
    let message = f
        .hold
        .as_ref()
        .filter(|_| f.unheld_goal == Goal::Active)
        .map(|h| h.message.clone())
        .unwrap_or_default();
    cleared(
        f,
        NextStep::Rest(Wait {
            message,
            stalled: stalled_by_hold(f).filter(|_| f.unheld_goal == Goal::Active),
            ..Wait::default()
        }),
    )
}

fn removed(f: &Facts<'_>) -> NextStep {
    match f.goal {
        Goal::Purged | Goal::Gone => NextStep::Enter(State::Purging),
        Goal::Active | Goal::Inactive => NextStep::Enter(State::Restoring),
        Goal::Removed => cleared(
            f,
            NextStep::Rest(Wait {
                wake: super::ttl::removed_until(f),
                ..Wait::default()
            }),
        ),
    }
}

fn purged(f: &Facts<'_>) -> NextStep {
    if f.deleting {
        return drop_finalizer(f);
    }
    match super::ttl::purged_until(f) {
        Some(until) if until <= f.s.now => NextStep::Work(vec![Effect::DeleteLink]),
        wake => cleared(
            f,
            NextStep::Rest(Wait {
                wake,
                ..Wait::default()
            }),
        ),
    }
}

/// The finalizer goes when nothing of the link is left: lifecycle#delete-through-purging.
fn drop_finalizer(f: &Facts<'_>) -> NextStep {
    let done = if has_finalizer(f) {
        NextStep::Work(vec![Effect::DropFinalizer])
    } else {
        NextStep::Rest(held::by_finalizers(f))
    };
    cleared(f, done)
}

/// Deletes the children that are still found, without a drain. This includes an orphan of a resting link
/// (lifecycle#repair-in-place). Then `done` is next.
fn cleared(f: &Facts<'_>, done: NextStep) -> NextStep {
    match dataplane::teardown_now(f.s) {
        TeardownNow::Act(effects) => NextStep::Work(effects),
        TeardownNow::Waiting(message) => NextStep::Rest(held::by_children(f, message)),
        TeardownNow::Done => done,
    }
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
