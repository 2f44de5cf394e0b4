//! What the policies of a link reach: which of the existing ones are the link's, which lead where no consent is, and which
//! may stay while no plan decides about them.

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;
use instancelink_api::grant::Permission;
use k8s_openapi::api::networking::v1::NetworkPolicyPeer;

use super::DesiredPolicies;
use super::allow::{End, namespace_of_egress};
use super::consent::not_consented;
use super::kept::restored;
use crate::child::{ChildSpec, Observed, Policy, names};
use crate::dataplane::naming::Names;
use crate::dataplane::ownership::is_own;
use crate::dataplane::policy_without_target;
use crate::refusal::{Refusal, listed};
use crate::resolve::consent::is_permitted;
use crate::resolve::egress::egress_isolation_of;
use crate::resolve::isolation::{Isolation, isolation_of, selector_of};
use crate::resolve::selector::Selector;
use crate::resolve::{TargetVerdict, target_of};
use crate::snapshot::{Snapshot, Target};

/// The policies of this link in all namespaces. One in another namespace counts until its deletion is accepted: who can write
/// there can add a finalizer to it, and has no say in this link (lifecycle#no-wait-for-others).
pub(in crate::dataplane) fn own(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let beside = s.link.object.metadata.namespace.as_ref();
    let is_released = move |found: &Observed<Policy>| found.terminating && beside != Some(&found.object.namespace);
    let policies = s.children.policies.iter().filter(|found| is_own(s, found));
    policies.filter(move |found| !is_released(found))
}

/// The namespace whose pods a policy lets the source connect to.
pub(in crate::dataplane) fn leads_to(found: &Observed<Policy>) -> String {
    let own = || found.object.namespace.clone();
    if names::is_egress(&found.object.name) {
        namespace_of_egress(&found.object.body.spec()).unwrap_or_else(own)
    } else {
        own()
    }
}

/// The policies of this link that lead into a namespace that does not consent to them.
pub(in crate::dataplane) fn unconsented(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let link = &s.link.object;
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    own(s).filter(move |found| {
        let namespace = Some(leads_to(found));
        let consented = [programmed, link.spec.target_instance_ref.as_ref()]
            .into_iter()
            .flatten()
            .any(|t| t.namespace == namespace && is_permitted(s, t, Permission::NetworkPolicy));
        namespace != link.metadata.namespace && !consented
    })
}

/// The policies of this link that may not stay while no plan decides about them: all but the one that selects exactly the pods
/// of the target, in front of which a policy may be now, and the one that lets exactly the pods of the source out to them, if
/// a policy may be behind these now. What isolates pods, and which pods have their labels, may change at any time.
pub(in crate::dataplane) fn overreaching(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let target = match target_of(s) {
        TargetVerdict::Observed(target) if not_consented(s).is_none() => Some(target),
        _ => None,
    };
    let (ingress, egress) = (target.and_then(|t| ingress(s, t)), target.and_then(|t| egress(s, t)));
    own(s).filter(move |found| {
        let spec = found.object.body.spec();
        let peers = spec.egress.iter().flatten().flat_map(|rule| rule.to.iter().flatten());
        let peers: Vec<NetworkPolicyPeer> = peers.cloned().collect();
        let bounds = if names::is_egress(&found.object.name) {
            &egress
        } else {
            &ingress
        };
        let selected = spec.pod_selector.map(Selector::from);
        let may_stay = |bounds: &Bounds| {
            found.object.namespace == bounds.namespace
                && selected.as_ref() == Some(&bounds.pods)
                && bounds.peer.as_ref().is_none_or(|peer| peers == [peer.clone()])
        };
        !bounds.as_ref().is_some_and(may_stay) && !may_stay_without_target(s, found)
    })
}

/// The policies in front of and behind a target that is missing, as far as they may stay.
pub(super) fn kept_without_target(s: &Snapshot, names: &Names<'_>) -> DesiredPolicies {
    let (egress, ingress): (Vec<_>, Vec<_>) = own(s)
        .filter(|found| !found.terminating && may_stay_without_target(s, found))
        .map(|found| restored(s, names, &found.object))
        .partition(|policy| names::is_egress(&policy.name));
    DesiredPolicies {
        ingress: ingress.into_iter().next(),
        egress: egress.into_iter().next(),
        refused: None,
    }
}

fn may_stay_without_target(s: &Snapshot, found: &Observed<Policy>) -> bool {
    not_consented(s).is_none() && policy_without_target::may_stay(s, found)
}

/// What a policy may reach now.
struct Bounds {
    namespace: String,
    pods: Selector,
    /// Where it may let these pods out to.
    peer: Option<NetworkPolicyPeer>,
}

fn ingress(s: &Snapshot, target: &Target) -> Option<Bounds> {
    let pods = selector_of(&target.object)?;
    matches!(isolation_of(s, target), Isolation::Isolated(_)).then(|| Bounds {
        namespace: target.object.namespace().to_owned(),
        pods: Selector::from(pods),
        peer: None,
    })
}

fn egress(s: &Snapshot, target: &Target) -> Option<Bounds> {
    let source = s.source.as_ref()?;
    let namespace = s.link.object.metadata.namespace.clone()?;
    let end = End {
        pods: selector_of(&target.object)?,
        namespace: target.object.namespace(),
    };
    matches!(egress_isolation_of(s, source, target), Isolation::Isolated(_)).then(|| Bounds {
        peer: Some(end.peer_in(&namespace)),
        pods: source.pods.clone(),
        namespace,
    })
}

/// True if a policy of the plan exists with all that is desired. Others may have added owners to it.
pub(crate) fn is_written(s: &Snapshot, desired: &ChildSpec<Policy>) -> bool {
    own(s).any(|found| !found.terminating && found.object.is_as(desired))
}

pub(super) fn refusal(target: &Target, pods: &BTreeSet<String>) -> Refusal {
    Refusal {
        reason: Reason::SelectsOtherPods,
        message: selects_others(target, pods),
    }
}

/// Why a policy would reach pods that are not the target's, and what to do.
pub(crate) fn selects_others(target: &Target, pods: &BTreeSet<String>) -> String {
    let object = &target.object;
    let (kind, namespace, name) = (object.kind(), object.namespace(), object.name());
    format!(
        "other pods have the labels by which a NetworkPolicy selects the pods of {kind} {namespace}/{name}: {}. The link writes \
         no NetworkPolicy, because it would also isolate these pods or let the source in to them. Give them other labels \
         (kubectl -n {namespace} label --overwrite pod NAME LABEL=VALUE), or set targetInstanceRef to a Service that selects \
         all of these pods, or write networkPolicy: None",
        listed(pods)
    )
}
