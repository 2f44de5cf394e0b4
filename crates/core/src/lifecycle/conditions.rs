//! Conditions: the state in the terms of Kubernetes tools (contract#conditions).

use std::collections::BTreeSet;

use instancelink_api::State;
use instancelink_api::condition::{Reason, types};
use instancelink_api::spec::NetworkPolicyMode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::facts::{Facts, Goal};
use super::wait::Wait;
use super::{shadow, verified};
use crate::resolve::TargetVerdict;
use crate::resolve::isolation::{Isolation, isolation_of};
use crate::time::second;

/// A condition before it is dated.
pub(super) struct Verdict {
    pub(super) type_: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: Reason,
    pub(super) message: String,
}

fn verdict(type_: &'static str, is_true: bool, reason: Reason, message: impl Into<String>) -> Verdict {
    Verdict {
        type_,
        status: if is_true { "True" } else { "False" },
        reason,
        message: message.into(),
    }
}

/// The conditions of the link in `state`; `wait` is absent where the state is just being entered.
pub(crate) fn conditions(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Vec<Condition> {
    let mut conditions = Vec::with_capacity(6);
    let say = |verdicts: Vec<Verdict>| verdicts.into_iter().map(|v| dated(f, v));
    // Nothing is asked of the references of a link that is gone or going: an old verdict would be a lie some day.
    let leaving = f.deleting || matches!(state, State::Removing | State::Removed | State::Purging | State::Purged);
    let as_before = wait.is_some_and(|w| w.as_before);
    if !leaving {
        conditions.extend(say(vec![accepted(f), resolved_refs(f)]));
    }
    if as_before {
        conditions.extend(unchanged(f, &[types::PROGRAMMED]));
    } else {
        conditions.extend(say(vec![programmed(f, state, wait)]));
    }
    conditions.extend(say(vec![available(f, state)]));
    if as_before {
        conditions.extend(unchanged(f, &[types::READY, types::RECONCILING, types::STALLED]));
    } else {
        conditions.extend(say(ready(f, state, wait)));
    }
    if !leaving {
        conditions.extend(say(shadowed(f).into_iter().chain(enforced(f)).collect()));
    }
    conditions.extend(verified::condition(f, state));
    conditions
}

/// What the status says of the children.
fn unchanged(f: &Facts<'_>, of_types: &[&str]) -> Vec<Condition> {
    let mut old = f.status.conditions.clone();
    old.retain(|condition| of_types.contains(&condition.type_.as_str()));
    for condition in &mut old {
        condition.observed_generation = f.link.metadata.generation;
    }
    old
}

fn accepted(f: &Facts<'_>) -> Verdict {
    if let Some(hold) = &f.hold
        && matches!(hold.reason, Reason::AliasConflict | Reason::DirectoryConflict)
    {
        return verdict(types::ACCEPTED, false, hold.reason, hold.message.clone());
    }
    match &f.plan {
        Err(unservable) if unservable.reason != Reason::KindNotSupported => {
            verdict(types::ACCEPTED, false, unservable.reason, unservable.message.clone())
        }
        _ => verdict(types::ACCEPTED, true, Reason::Accepted, "the spec can be served"),
    }
}

fn resolved_refs(f: &Facts<'_>) -> Verdict {
    let no = |reason, message: &str| verdict(types::RESOLVED_REFS, false, reason, message);
    let of_source = |reason| matches!(reason, Reason::SourceNotFound | Reason::KindNotSupported);
    if let Some(hold) = f.hold.as_ref().filter(|hold| of_source(hold.reason)) {
        return no(hold.reason, &hold.message);
    }
    match &f.target {
        TargetVerdict::NotPermitted { message } => return no(Reason::RefNotPermitted, message),
        TargetVerdict::NotSupported { message } => return no(Reason::KindNotSupported, message),
        TargetVerdict::Missing { message } => return no(Reason::TargetNotFound, message),
        TargetVerdict::NoTarget => {
            let message = "spec.targetInstanceRef is not set, so the alias resolves to no address";
            return verdict(types::RESOLVED_REFS, true, Reason::NoTarget, message);
        }
        TargetVerdict::Observed(_) => {}
    }
    verdict(
        types::RESOLVED_REFS,
        true,
        Reason::Resolved,
        "the source and the target exist",
    )
}

fn programmed(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Verdict {
    if let Some((reason, wait)) = wait.and_then(|w| w.problem.map(|reason| (reason, w))) {
        return verdict(types::PROGRAMMED, false, reason, wait.message.clone());
    }
    if state.is_transitional() {
        return verdict(
            types::PROGRAMMED,
            false,
            Reason::Pending,
            format!("the link is {state}"),
        );
    }
    if state == State::Active
        && let Err(unservable) = &f.plan
    {
        return verdict(types::PROGRAMMED, false, Reason::Pending, unservable.message.clone());
    }
    verdict(
        types::PROGRAMMED,
        true,
        Reason::Programmed,
        "the API server confirmed all objects that this state needs",
    )
}

/// By what stands in the cluster, so that the old target's endpoints count as long as they answer.
fn available(f: &Facts<'_>, state: State) -> Verdict {
    let no = |reason, message: &str| verdict(types::AVAILABLE, false, reason, message);
    if !matches!(state, State::Active | State::UpdatingActive) {
        return no(Reason::NotActive, "the link is not active");
    }
    if f.s
        .children
        .slices
        .iter()
        .flat_map(|slice| &slice.object.body.endpoints)
        .any(|endpoint| endpoint.ready)
    {
        return verdict(
            types::AVAILABLE,
            true,
            Reason::EndpointsReady,
            "the alias has ready endpoints",
        );
    }
    match &f.target {
        TargetVerdict::NoTarget => no(
            Reason::NoTarget,
            "spec.targetInstanceRef is not set, so the alias resolves to no address",
        ),
        TargetVerdict::Missing { message } => no(Reason::TargetNotFound, message),
        TargetVerdict::NotPermitted { .. } | TargetVerdict::NotSupported { .. } | TargetVerdict::Observed(_) => no(
            Reason::NoReadyEndpoints,
            "no endpoint of the target is ready; check the readiness of its pods",
        ),
    }
}

/// A warning beside the state: it makes no link less ready.
fn shadowed(f: &Facts<'_>) -> Option<Verdict> {
    shadow::condition(f).map(|(reason, message)| verdict(types::ALIAS_SHADOWED, true, reason, message))
}

/// What cutting the link achieves. Where no target is known there is nothing to be said.
fn enforced(f: &Facts<'_>) -> Option<Verdict> {
    let no = |reason, message: &str| Some(verdict(types::ENFORCED, false, reason, message));
    if f.link.spec.network_policy == NetworkPolicyMode::None {
        return no(
            Reason::DNSOnly,
            "spec.networkPolicy is None: without the link the alias no longer resolves, but a pod that knows an address can \
             still connect; to block that too, write networkPolicy: Allow and isolate the target's pods with a NetworkPolicy",
        );
    }
    let TargetVerdict::Observed(target) = &f.target else {
        return None;
    };
    match isolation_of(f.s, target) {
        Isolation::Isolated(by) => Some(verdict(
            types::ENFORCED,
            true,
            Reason::TargetIsolated,
            format!(
                "NetworkPolicies isolate the target's pods ({}), so without the link, whose NetworkPolicy lets the source in, \
                 the source cannot connect",
                listed(&by)
            ),
        )),
        Isolation::Partly(open) => no(
            Reason::TargetNotIsolated,
            &format!(
                "NetworkPolicies isolate only some of the target's pods and not these: {}. The link writes no NetworkPolicy, \
                 because it would isolate them too; let the policies select all pods of the target, or none",
                listed(&open)
            ),
        ),
        Isolation::Open => no(
            Reason::TargetNotIsolated,
            "no other NetworkPolicy isolates the target's pods, so each pod can connect to them. The link writes no \
             NetworkPolicy, because it would shut out all other clients; isolate the pods with a policy that denies ingress",
        ),
    }
}

/// A few names, for a message.
fn listed(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", shown.join(", "))
}

/// Ready, and beside it Reconciling or Stalled while it is not.
fn ready(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Vec<Verdict> {
    let message = wait.map(|w| w.message.as_str()).filter(|m| !m.is_empty());
    let held = state == State::Inactive && f.wish == Goal::Active;
    if let Some(reason) = stalled(f, state, wait) {
        let by_hold = || f.hold.as_ref().map(|hold| hold.message.clone()).unwrap_or_default();
        let message = message.map_or_else(by_hold, str::to_owned);
        let outer = if held { Reason::Held } else { Reason::Stalled };
        return vec![
            verdict(types::READY, false, outer, message.clone()),
            verdict(types::STALLED, true, reason, message),
        ];
    }
    if let Some(hold) = f.hold.as_ref().filter(|_| held) {
        return vec![
            verdict(types::READY, false, Reason::Held, hold.message.clone()),
            verdict(types::RECONCILING, true, hold.reason, hold.message.clone()),
        ];
    }
    let problem = wait.and_then(|w| w.problem);
    if is_at_goal(f, state) && problem.is_none() {
        return vec![verdict(
            types::READY,
            true,
            Reason::Ready,
            format!("the link is {state}"),
        )];
    }
    let message = message.map_or_else(|| format!("the link is {state}"), str::to_owned);
    vec![
        verdict(types::READY, false, Reason::Transitioning, message.clone()),
        verdict(
            types::RECONCILING,
            true,
            problem.unwrap_or(Reason::Transitioning),
            message,
        ),
    ]
}

/// Why a person has to do something, if so. On entry only a hold of the resting state is known.
fn stalled(f: &Facts<'_>, state: State, wait: Option<&Wait>) -> Option<Reason> {
    let held = state == State::Inactive && f.wish == Goal::Active;
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

/// `lastTransitionTime` changes with the status alone.
pub(super) fn dated(f: &Facts<'_>, verdict: Verdict) -> Condition {
    let since = f
        .status
        .conditions
        .iter()
        .find(|old| old.type_ == verdict.type_ && old.status == verdict.status)
        .map_or_else(|| second(f.s.now), |old| old.last_transition_time.clone());
    Condition {
        type_: verdict.type_.to_owned(),
        status: verdict.status.to_owned(),
        reason: verdict.reason.as_str().to_owned(),
        message: verdict.message,
        observed_generation: f.link.metadata.generation,
        last_transition_time: since,
    }
}
