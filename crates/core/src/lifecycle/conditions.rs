//! The conditions of a link (contract#conditions).

use instancelink_api::State;
use instancelink_api::condition::{Reason, types};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::condition::NewCondition;
use super::facts::{Facts, Goal};
use super::halves::{Half, Halves};
use super::wait::Wait;
use super::{enforced, shadow, verified};
use crate::child::Endpoint;
use crate::dataplane;
use crate::resolve::former_source::may_wait_in;
use crate::resolve::{TargetVerdict, external_names, service_slices};
use crate::snapshot::{Target, TargetObject};

/// The message of a link that is programmed.
const ALL_CONFIRMED: &str = "the API server confirmed all objects that this state needs";

fn condition(type_: &'static str, is_true: bool, reason: Reason, message: impl Into<String>) -> NewCondition {
    NewCondition {
        type_,
        status: if is_true { "True" } else { "False" },
        reason,
        message: message.into(),
    }
}

/// The conditions of the link in `state`; `wait` is absent where the state is just being entered without a problem.
pub(crate) fn conditions(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Vec<Condition> {
    let mut conditions = Vec::with_capacity(6);
    let date = |all: Vec<NewCondition>| all.into_iter().map(|condition| condition.dated(f));
    // The references of a link that goes away are not checked any more, so their conditions would become wrong.
    let leaving = f.deleting || matches!(state, State::Removing | State::Removed | State::Purging | State::Purged);
    let as_before = wait.is_some_and(|w| w.as_before);
    if !leaving {
        conditions.extend(date(vec![accepted(f), resolved_refs(f)]));
    }
    if as_before {
        conditions.extend(unchanged(f, &[types::PROGRAMMED]));
    } else {
        conditions.extend(date(vec![programmed(f, state, wait)]));
    }
    let halves = enforced::halves(f, state);
    conditions.extend(date(vec![available(f, state, wait, halves.as_ref())]));
    if as_before {
        conditions.extend(unchanged(f, &[types::READY, types::RECONCILING, types::STALLED]));
    } else {
        conditions.extend(date(ready(f, state, wait)));
    }
    if !leaving {
        conditions.extend(date(
            shadowed(f)
                .into_iter()
                .chain(enforced::condition(f, halves.as_ref()))
                .collect(),
        ));
    }
    conditions.extend(date(hold_delayed(f, state).into_iter().collect()));
    conditions.extend(verified::condition(f, state));
    conditions
}

/// The conditions of these types as the status has them.
fn unchanged(f: &Facts<'_>, of_types: &[&str]) -> Vec<Condition> {
    let mut old = f.status.conditions.clone();
    old.retain(|condition| of_types.contains(&condition.type_.as_str()));
    for condition in &mut old {
        condition.observed_generation = f.link.metadata.generation;
    }
    old
}

fn accepted(f: &Facts<'_>) -> NewCondition {
    if let Some(hold) = &f.hold
        && (f.is_unusable() || matches!(hold.reason, Reason::AliasConflict | Reason::DirectoryConflict))
    {
        return condition(types::ACCEPTED, false, hold.reason, hold.message.clone());
    }
    match &f.plan {
        Err(unservable) if unservable.reason != Reason::KindNotSupported => {
            condition(types::ACCEPTED, false, unservable.reason, unservable.message.clone())
        }
        _ => condition(types::ACCEPTED, true, Reason::Accepted, "the spec can be served"),
    }
}

fn resolved_refs(f: &Facts<'_>) -> NewCondition {
    let no = |reason, message: &str| condition(types::RESOLVED_REFS, false, reason, message);
    let of_source = |reason| {
        matches!(
            reason,
            Reason::SourceNotFound | Reason::KindNotSupported | Reason::Unusable
        )
    };
    if let Some(hold) = f.hold.as_ref().filter(|hold| of_source(hold.reason)) {
        return no(hold.reason, &hold.message);
    }
    match &f.target {
        TargetVerdict::NotPermitted { message } => return no(Reason::RefNotPermitted, message),
        TargetVerdict::NotSupported { message } => return no(Reason::KindNotSupported, message),
        TargetVerdict::Missing { message } => return no(Reason::TargetNotFound, message),
        TargetVerdict::Unusable { message } => return no(Reason::Unusable, message),
        TargetVerdict::NoTarget => {
            let message = "spec.targetInstanceRef is not set, so nothing answers under the alias";
            return condition(types::RESOLVED_REFS, true, Reason::NoTarget, message);
        }
        TargetVerdict::Observed(target) if let Some(message) = problem_of_name(f, target) => {
            return no(Reason::NameNotResolved, &message);
        }
        TargetVerdict::Observed(_) => {}
    }
    condition(
        types::RESOLVED_REFS,
        true,
        Reason::Resolved,
        "the source and the target exist",
    )
}

fn programmed(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> NewCondition {
    if let Some((reason, wait)) = wait.and_then(|w| w.problem.map(|reason| (reason, w))) {
        return condition(types::PROGRAMMED, false, reason, wait.message.clone());
    }
    if state.is_transitional() {
        return condition(
            types::PROGRAMMED,
            false,
            Reason::Pending,
            format!("the link is {state}"),
        );
    }
    if state == State::Active
        && let Err(unservable) = &f.plan
    {
        return condition(types::PROGRAMMED, false, Reason::Pending, unservable.message.clone());
    }
    let notes = match &f.plan {
        Ok(plan) if state == State::Active => plan.notes.as_slice(),
        _ => &[],
    };
    let Some(first) = notes.first() else {
        return condition(types::PROGRAMMED, true, Reason::Programmed, ALL_CONFIRMED);
    };
    let notes: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
    condition(
        types::PROGRAMMED,
        true,
        first.reason,
        format!("{ALL_CONFIRMED}. {}", notes.join(". ")),
    )
}

/// What is wrong with the answer of the DNS, if the target is a Service with an external name.
fn problem_of_name(f: &Facts<'_>, target: &Target) -> Option<String> {
    match &target.object {
        TargetObject::Service(service) => external_names::problem(f.s, service),
        TargetObject::Workload(_) | TargetObject::Pod(_) => None,
    }
}

/// By the slices in the cluster, so that the old target's endpoints count as long as the alias resolves to them.
fn available(f: &Facts<'_>, state: State, wait: Option<&Wait>, halves: Option<&Halves>) -> NewCondition {
    let no = |reason, message: &str| condition(types::AVAILABLE, false, reason, message);
    if !matches!(state, State::Active | State::UpdatingActive) {
        // What was refused or is held keeps a link on its way for long, while some of its objects answer.
        if wait.is_some_and(|wait| wait.problem.is_some()) && dataplane::answers(f.s) {
            let message = format!("the alias has ready endpoints, although the link is {state}");
            return condition(types::AVAILABLE, true, Reason::EndpointsReady, message);
        }
        return no(Reason::NotActive, "the link is not active");
    }
    if f.s
        .children
        .slices
        .iter()
        .flat_map(|slice| &slice.object.body.endpoints)
        .any(Endpoint::answers)
    {
        return condition(types::AVAILABLE, true, Reason::EndpointsReady, endpoints_ready(halves));
    }
    match &f.target {
        TargetVerdict::NoTarget => no(
            Reason::NoTarget,
            "spec.targetInstanceRef is not set, so nothing answers under the alias",
        ),
        TargetVerdict::Missing { message } => no(Reason::TargetNotFound, message),
        TargetVerdict::Unusable { message } => no(Reason::Unusable, message),
        TargetVerdict::Observed(target)
            if let Some(why) = problem_of_name(f, target).or_else(|| service_slices::why_unavailable(target)) =>
        {
            no(Reason::NoReadyEndpoints, &why)
        }
        TargetVerdict::Observed(target) => no(
            Reason::NoReadyEndpoints,
            &format!(
                "no endpoint of the target is ready; check the readiness of its pods: kubectl -n {} get pods",
                target.object.namespace()
            ),
        ),
        TargetVerdict::NotPermitted { .. } | TargetVerdict::NotSupported { .. } => no(
            Reason::NoReadyEndpoints,
            "no endpoint of the target is ready; the condition ResolvedRefs says what to do",
        ),
    }
}

/// Ready endpoints, and which half of the way to them the link does not open. Whether other policies open it is not known.
fn endpoints_ready(halves: Option<&Halves>) -> String {
    let is_missing = |half: &Half| matches!(half, Half::Missing(..));
    let missing = halves.map(|halves| (is_missing(&halves.target), is_missing(&halves.source)));
    let what = match missing {
        None | Some((false, false)) => return "the alias has ready endpoints".to_owned(),
        Some((true, false)) => "the ingress of the target",
        Some((false, true)) => "the egress of the source",
        Some((true, true)) => "the ingress of the target, and the one for the egress of the source,",
    };
    format!(
        "the alias has ready endpoints, but the source may not be able to connect to them: the link's NetworkPolicy for {what} is \
         missing; the condition Enforced says why"
    )
}

/// A warning; it does not make the link less ready.
fn shadowed(f: &Facts<'_>) -> Option<NewCondition> {
    shadow::condition(f).map(|(reason, message)| condition(types::ALIAS_SHADOWED, true, reason, message))
}

/// The hold of a missing source is delayed, and what it waits for.
fn hold_delayed(f: &Facts<'_>, state: State) -> Option<NewCondition> {
    f.hold_delayed_until.filter(|_| may_wait_in(state))?;
    let hold = f.hold.as_ref()?;
    Some(condition(
        types::HOLD_DELAYED,
        true,
        Reason::PodsRemain,
        hold.message.clone(),
    ))
}

/// Ready; where it is not True, also Reconciling or Stalled.
fn ready(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Vec<NewCondition> {
    let message = wait.map(|w| w.message.as_str()).filter(|m| !m.is_empty());
    let held = state == State::Inactive && f.unheld_goal == Goal::Active;
    if let Some(reason) = stalled(f, state, wait) {
        let by_hold = || f.hold.as_ref().map(|hold| hold.message.clone()).unwrap_or_default();
        let message = message.map_or_else(by_hold, str::to_owned);
        let outer = if held { Reason::Held } else { Reason::Stalled };
        return vec![
            condition(types::READY, false, outer, message.clone()),
            condition(types::STALLED, true, reason, message),
        ];
    }
    if let Some(hold) = f.hold.as_ref().filter(|_| held) {
        return vec![
            condition(types::READY, false, Reason::Held, hold.message.clone()),
            condition(types::RECONCILING, true, hold.reason, hold.message.clone()),
        ];
    }
    let problem = wait.and_then(|w| w.problem);
    if is_at_goal(f, state) && problem.is_none() {
        return vec![condition(
            types::READY,
            true,
            Reason::Ready,
            format!("the link is {state}"),
        )];
    }
    let message = message.map_or_else(|| format!("the link is {state}"), str::to_owned);
    vec![
        condition(types::READY, false, Reason::Transitioning, message.clone()),
        condition(
            types::RECONCILING,
            true,
            problem.unwrap_or(Reason::Transitioning),
            message,
        ),
    ]
}

/// Why the link waits for a person, if it does. On entry only a hold of the resting state is known.
fn stalled(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Option<Reason> {
    let held = state == State::Inactive && f.unheld_goal == Goal::Active;
    let by_hold = || {
        f.hold
            .as_ref()
            .filter(|_| held)
            .map(|h| h.reason)
            .filter(|r| r.waits_for_a_person())
    };
    wait.and_then(|w| w.stalled).or_else(by_hold)
}

fn is_at_goal(f: &Facts<'_>, state: State) -> bool {
    match state {
        State::Active => f.goal == Goal::Active,
        State::Inactive => f.goal == Goal::Inactive,
        State::Removed => f.goal == Goal::Removed,
        State::Purged => f.goal == Goal::Purged,
        State::Requested
        | State::Registering
        | State::Activating
        | State::UpdatingActive
        | State::Deactivating
        | State::UpdatingInactive
        | State::Removing
        | State::Restoring
        | State::Purging => false,
    }
}
