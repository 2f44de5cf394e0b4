//! The condition `Enforced`: what a cut of the link achieves (contract#condition-enforced). It is judged only of what is
//! programmed, and names nothing of a namespace that does not consent to policies.

use std::collections::BTreeSet;

use instancelink_api::State;
use instancelink_api::condition::{Reason, types};
use instancelink_api::spec::NetworkPolicyMode;

use super::condition::NewCondition;
use super::facts::Facts;
use crate::dataplane;
use crate::refusal::listed;
use crate::resolve::TargetVerdict;
use crate::resolve::isolation::{Isolation, isolation_of};

/// The condition in `state`. `None` if the link asks for a policy and no target is known.
pub(super) fn condition(f: &Facts<'_>, state: State) -> Option<NewCondition> {
    let no = |reason, message: String| Some(new("False", reason, message));
    if f.link.spec.network_policy == NetworkPolicyMode::None {
        return no(
            Reason::DNSOnly,
            "spec.networkPolicy is None: without the link the alias no longer resolves, but a pod that knows an address can \
             still connect; to block that too, write networkPolicy: Allow and isolate the target's pods with a NetworkPolicy"
                .to_owned(),
        );
    }
    let TargetVerdict::Observed(target) = &f.target else {
        return None;
    };
    let namespace = target.object.namespace();
    if !dataplane::is_policy_permitted(f.s) {
        return no(
            Reason::DNSOnly,
            format!(
                "namespace {namespace} does not permit a NetworkPolicy of this link, so without the link the alias no longer \
                 resolves, but a pod that knows an address may still connect; an administrator of namespace {namespace} can \
                 add NetworkPolicy to spec.allow of the InstanceLinkGrant"
            ),
        );
    }
    if !matches!(state, State::Active | State::UpdatingActive) {
        return no(
            Reason::NotActive,
            "the link is not active and has no NetworkPolicy; the NetworkPolicies of others alone decide whether the source can \
             open a new connection. A connection that the source opened while the link was active can still be open"
                .to_owned(),
        );
    }
    match isolation_of(f.s, target) {
        Isolation::Isolated(by) if is_written(f) => Some(isolated(&by)),
        Isolation::Isolated(_) => no(
            Reason::Pending,
            "the NetworkPolicy of this link is not written; the condition Programmed says why".to_owned(),
        ),
        Isolation::Shared(pods) => no(Reason::SelectsOtherPods, dataplane::selects_others(target, &pods)),
        Isolation::Partly(open) => no(
            Reason::TargetNotIsolated,
            format!(
                "NetworkPolicies isolate only some of the target's pods and not these: {}. The link writes no NetworkPolicy, \
                 because it would isolate them too; let the policies select all pods of the target, or none",
                listed(&open)
            ),
        ),
        Isolation::Open => no(
            Reason::TargetNotIsolated,
            "no other NetworkPolicy isolates the target's pods, so each pod can connect to them. The link writes no \
             NetworkPolicy, because it would shut out all other clients; isolate the pods with a policy that denies ingress"
                .to_owned(),
        ),
        Isolation::TooCostly => no(
            Reason::TooCostly,
            "the target's namespace has so many pods and NetworkPolicies, or pods with so many labels, that the operator does \
             not compare them, because the links of others would wait; so it cannot tell whether the target's pods are \
             isolated, and the link writes no NetworkPolicy. Let fewer policies select the pods, or write networkPolicy: None"
                .to_owned(),
        ),
    }
}

fn is_written(f: &Facts<'_>) -> bool {
    let desired = f.plan.as_ref().ok().and_then(|plan| plan.policy.as_ref());
    desired.is_some_and(|desired| dataplane::is_written(f.s, desired))
}

fn isolated(by: &BTreeSet<String>) -> NewCondition {
    let message = format!(
        "NetworkPolicies isolate the target's pods ({}), so without the link, whose NetworkPolicy lets the source in, the \
         source cannot open a new connection. The network plugin closes the way shortly after the link is inactive (measured: \
         up to 85 ms later), and a connection that is already open lives on; to end it, restart the pods of the source or of \
         the target (kubectl rollout restart)",
        listed(by)
    );
    new("True", Reason::TargetIsolated, message)
}

const fn new(status: &'static str, reason: Reason, message: String) -> NewCondition {
    NewCondition {
        type_: types::ENFORCED,
        status,
        reason,
        message,
    }
}
