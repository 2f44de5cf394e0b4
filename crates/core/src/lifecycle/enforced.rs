//! The condition `Enforced`: what a cut of the link achieves, and which half of its way is missing (contract#condition-enforced).
//! It is judged only of what is programmed, and names nothing of a namespace that does not consent to policies.

use instancelink_api::State;
use instancelink_api::condition::{Reason, types};
use instancelink_api::spec::NetworkPolicyMode;

use super::condition::NewCondition;
use super::facts::Facts;
use super::halves::{Half, Halves};
use crate::dataplane;
use crate::refusal::listed;
use crate::resolve::TargetVerdict;

/// What a cut does to packets (contract#cut-and-packets).
const PACKETS: &str = "The network plugin closes the way shortly after the link is inactive (measured: up to 85 ms later), and a \
                       connection that is already open lives on; to end it, restart the pods of the source or of the target \
                       (kubectl rollout restart)";

/// The halves of the way of a link in `state`. None if the link asks for no policy, may have none, or has none in this state.
pub(super) fn halves(f: &Facts<'_>, state: State) -> Option<Halves> {
    let asks = f.link.spec.network_policy == NetworkPolicyMode::Allow;
    let is_up = matches!(state, State::Active | State::UpdatingActive);
    match &f.target {
        TargetVerdict::Observed(target) if asks && is_up && dataplane::is_policy_permitted(f.s) => {
            Some(Halves::of(f, target))
        }
        _ => None,
    }
}

/// The condition. `None` if the link asks for a policy and no target is known.
pub(super) fn condition(f: &Facts<'_>, halves: Option<&Halves>) -> Option<NewCondition> {
    if f.link.spec.network_policy == NetworkPolicyMode::None {
        return Some(no(
            Reason::DNSOnly,
            "spec.networkPolicy is None: without the link the alias no longer resolves, but a pod that knows an address can \
             still connect; to block that too, write networkPolicy: Allow and isolate the target's pods with a NetworkPolicy"
                .to_owned(),
        ));
    }
    let TargetVerdict::Observed(target) = &f.target else {
        return None;
    };
    let namespace = target.object.namespace();
    if !dataplane::is_policy_permitted(f.s) {
        return Some(no(
            Reason::DNSOnly,
            format!(
                "namespace {namespace} does not permit a NetworkPolicy of this link, so without the link the alias no longer \
                 resolves, but a pod that knows an address may still connect; an administrator of namespace {namespace} can \
                 add NetworkPolicy to spec.allow of the InstanceLinkGrant"
            ),
        ));
    }
    Some(match halves {
        Some(halves) => of_halves(halves),
        None => no(
            Reason::NotActive,
            "the link is not active and has no NetworkPolicy; the NetworkPolicies of others alone decide whether the source can \
             open a new connection. A connection that the source opened while the link was active can still be open"
                .to_owned(),
        ),
    })
}

fn of_halves(halves: &Halves) -> NewCondition {
    match (&halves.target, &halves.source) {
        (Half::Written(by), source) => {
            let also = match source {
                Half::Open => String::new(),
                Half::Written(by) => format!(
                    ". NetworkPolicies isolate the source's pods for egress, too ({}), and a second NetworkPolicy of the link \
                     lets them out to the target",
                    listed(by)
                ),
                Half::Missing(_, why) => format!(". The half of the source is missing: {why}"),
            };
            let message = format!(
                "NetworkPolicies isolate the target's pods ({}), so without the link, whose NetworkPolicy lets the source in, the \
                 source cannot open a new connection. {PACKETS}{also}",
                listed(by)
            );
            new("True", Reason::TargetIsolated, message)
        }
        (target, Half::Written(by)) => {
            let also = match target {
                Half::Missing(_, why) => format!("The half of the target is missing: {why}"),
                Half::Open | Half::Written(_) => {
                    "No other NetworkPolicy isolates the target's pods, so other pods can connect to them".to_owned()
                }
            };
            let message = format!(
                "NetworkPolicies isolate the source's pods for egress ({}), so without the link, whose NetworkPolicy lets them \
                 out to the target, the source cannot open a new connection. {PACKETS}. {also}",
                listed(by)
            );
            new("True", Reason::SourceIsolated, message)
        }
        (Half::Open, Half::Open) => no(
            Reason::TargetNotIsolated,
            "no other NetworkPolicy isolates the target's pods, so each pod can connect to them. The link writes no \
             NetworkPolicy, because it would shut out all other clients; isolate the pods with a policy that denies ingress"
                .to_owned(),
        ),
        (Half::Missing(reason, why), Half::Open) => no(*reason, why.clone()),
        (Half::Open, Half::Missing(reason, why)) => no(*reason, format!("the half of the source is missing: {why}")),
        (Half::Missing(reason, why), Half::Missing(_, other)) => {
            no(*reason, format!("{why}. The half of the source is missing, too: {other}"))
        }
    }
}

fn no(reason: Reason, message: String) -> NewCondition {
    new("False", reason, message)
}

const fn new(status: &'static str, reason: Reason, message: String) -> NewCondition {
    NewCondition {
        type_: types::ENFORCED,
        status,
        reason,
        message,
    }
}
