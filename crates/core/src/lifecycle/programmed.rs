//! Whether the children of a link are what the spec asks for, and what is next if they are not.

use instancelink_api::State;
use instancelink_api::condition::Reason;

use super::facts::{Facts, Goal};
use super::next_step::NextStep;
use super::wait::Wait;
use crate::dataplane;
use crate::refusal::{Refusal, joined};

/// The answer.
pub(super) enum Programmed {
    /// All of them are confirmed, with this number of ready endpoints. What does not fit is in the wait.
    Yes { ready: usize, wait: Wait },
    /// Not yet; this is next.
    No(NextStep),
}

/// Compares the children with the plan.
pub(super) fn program(f: &Facts<'_>) -> Programmed {
    if f.goal != Goal::Active {
        return Programmed::No(NextStep::Enter(State::Deactivating));
    }
    let plan = match &f.plan {
        Ok(plan) => plan,
        Err(unservable) => {
            let shrunk = dataplane::prune(f.s);
            return Programmed::No(if shrunk.is_empty() {
                NextStep::Rest(Wait {
                    message: unservable.message.clone(),
                    stalled: Some(unservable.reason),
                    wake: f.hold_delayed_until,
                    ..Wait::default()
                })
            } else {
                NextStep::Work(shrunk)
            });
        }
    };
    if !f.source_usable() {
        // However long that lasts, the alias does not go on with pods that are gone.
        let shrunk = dataplane::prune(f.s);
        if !shrunk.is_empty() {
            return Programmed::No(NextStep::Work(shrunk));
        }
        let message = f
            .hold
            .as_ref()
            .map_or_else(|| "the namespace is being deleted".to_owned(), |h| h.message.clone());
        return Programmed::No(NextStep::Rest(Wait {
            message,
            wake: f.hold_delayed_until,
            ..Wait::default()
        }));
    }
    let writes = dataplane::bring_up(f.s, plan);
    if !writes.is_empty() {
        return Programmed::No(NextStep::Work(writes));
    }
    let problems = dataplane::problems(f.s, plan);
    if problems.iter().all(|p| p.reason == Reason::TooLarge) {
        debug_assert!(dataplane::is_up(f.s, plan), "what is missing is due or in the way");
        return Programmed::Yes {
            ready: plan.ready,
            wait: wait_for(f, &problems),
        };
    }
    Programmed::No(NextStep::Rest(wait_for(f, &problems)))
}

/// What the status shows when the link enters this state: variables that do not fit keep no link from being active
/// (contract#environment-size).
pub(super) fn wait_on_entry(f: &Facts<'_>, state: State) -> Wait {
    match &f.plan {
        Ok(plan) if state == State::Active => wait_for(f, &plan.too_large()),
        _ => Wait::default(),
    }
}

/// The wait for the end of these problems.
fn wait_for(f: &Facts<'_>, problems: &[Refusal]) -> Wait {
    // A problem that waits for a person gives the reason before a problem that may end without one.
    let gravest = problems
        .iter()
        .find(|p| p.reason.waits_for_a_person())
        .or(problems.first());
    let Some(gravest) = gravest else {
        return Wait::default();
    };
    Wait {
        message: joined(problems.iter().map(|p| p.message.clone())),
        problem: Some(gravest.reason),
        stalled: gravest.reason.waits_for_a_person().then_some(gravest.reason),
        retry: true,
        wake: dataplane::held_since(f.s)
            .map(dataplane::overdue_at)
            .filter(|at| *at > f.s.now),
        ..Wait::default()
    }
}
