//! Builds the policy: ingress from the source's pods to the target's pods on the link's ports, and nothing else
//! (contract#network-policy).

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;
use instancelink_api::grant::Permission;
use instancelink_api::keys;
use instancelink_api::spec::{NetworkPolicyMode, Protocol};
use k8s_openapi::api::networking::v1::{
    NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::naming::{Names, labels};
use super::ownership::is_own;
use super::policy_without_target;
use crate::child::{self, ChildSpec, Observed, Policy};
use crate::refusal::{Refusal, listed};
use crate::resolve::consent::{is_permitted, manifest};
use crate::resolve::endpoints::EndpointGroups;
use crate::resolve::isolation::{Isolation, isolation_of, selector_of};
use crate::resolve::pod_ports::{PodPort, of_pods};
use crate::resolve::selector::Selector;
use crate::resolve::{TargetVerdict, Unservable, target_of};
use crate::snapshot::{Snapshot, Target};

/// The label of every namespace with its own name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The desired policy, and the reason why it is not allowed.
pub(super) type DesiredPolicy = (Option<ChildSpec<Policy>>, Option<Refusal>);

/// Builds the desired policy, if the spec asks for one, the target exists, and policies of others isolate it. Without the target,
/// the policy may stay.
///
/// # Errors
/// If no policy can express what the spec asks for.
pub(super) fn desired(
    s: &Snapshot,
    names: &Names<'_>,
    endpoints: &EndpointGroups,
) -> Result<DesiredPolicy, Unservable> {
    let spec = &s.link.object.spec;
    let target = match target_of(s) {
        TargetVerdict::Observed(target) => target,
        TargetVerdict::Missing { .. } => {
            let mut policies = own(s).filter(|found| !found.terminating && may_stay_without_target(s, found));
            return Ok((policies.next().map(|found| found.object.clone()), None));
        }
        TargetVerdict::NoTarget
        | TargetVerdict::NotPermitted { .. }
        | TargetVerdict::NotSupported { .. }
        | TargetVerdict::Unusable { .. } => return Ok((None, None)),
    };
    if spec.network_policy == NetworkPolicyMode::None {
        return Ok((None, None));
    }
    if let Some(refusal) = not_consented(s) {
        return Ok((None, Some(refusal)));
    }
    let pods = selector_of(&target.object).ok_or_else(|| no_labels(target))?;
    let Some(source) = s.source.as_ref() else {
        return Ok((None, None));
    };
    let source = source.pods.to_api().ok_or_else(|| Unservable {
        reason: Reason::AddressingNotPossible,
        message: format!(
            "networkPolicy: Allow needs labels that select the pods of the source, but {} {} has none; add labels to it, or \
             write networkPolicy: None",
            spec.instance_ref.kind, names.instance
        ),
    })?;
    let ports = of_pods(spec, &target.object, &endpoints.ports);
    if ports.is_empty() {
        return Err(Unservable {
            reason: Reason::InvalidPorts,
            message:
                "networkPolicy: Allow opens only the ports of the link, but neither spec.ports nor the target lists one; \
                      list the ports in spec.ports, or write networkPolicy: None"
                    .to_owned(),
        });
    }
    match isolation_of(s, target) {
        Isolation::Isolated(_) => {}
        Isolation::Shared(pods) => {
            let refusal = Refusal {
                reason: Reason::SelectsOtherPods,
                message: selects_others(target, &pods),
            };
            return Ok((None, Some(refusal)));
        }
        Isolation::Partly(_) | Isolation::Open | Isolation::TooCostly => return Ok((None, None)),
    }
    let namespace = target.object.namespace();
    let object = ChildSpec {
        namespace: namespace.to_owned(),
        name: child::names::policy(names.link, names.link_uid),
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path())]),
        // The garbage collector ignores owners in other namespaces: finalizer and sweep delete such a policy.
        owners: if namespace == names.namespace {
            names.link_owner()
        } else {
            Vec::new()
        },
        body: Policy::from(&allow_spec(
            pods,
            source,
            &ports,
            Some(names.namespace).filter(|own| *own != namespace),
        )),
    };
    Ok((Some(object), None))
}

/// The policies of this link in all namespaces. One in another namespace counts until its deletion is accepted: who can write
/// there can add a finalizer to it, and has no say in this link (lifecycle#no-wait-for-others).
pub(super) fn own(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let beside = s.link.object.metadata.namespace.as_ref();
    let is_released = move |found: &Observed<Policy>| found.terminating && beside != Some(&found.object.namespace);
    let policies = s.children.policies.iter().filter(|found| is_own(s, found));
    policies.filter(move |found| !is_released(found))
}

/// The policies of this link in a namespace that does not consent to them.
pub(super) fn unconsented(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let link = &s.link.object;
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    own(s).filter(move |found| {
        let namespace = Some(&found.object.namespace);
        let consented = [programmed, link.spec.target_instance_ref.as_ref()]
            .into_iter()
            .flatten()
            .any(|t| t.namespace.as_ref() == namespace && is_permitted(s, t, Permission::NetworkPolicy));
        namespace != link.metadata.namespace.as_ref() && !consented
    })
}

/// The policies of this link that may not stay while no plan decides about them: all but the one that selects exactly the pods
/// of the target, in front of which a policy may be now. What isolates its pods, and which pods have its labels, may change
/// at any time.
pub(super) fn overreaching(s: &Snapshot) -> impl Iterator<Item = &Observed<Policy>> {
    let target = match target_of(s) {
        TargetVerdict::Observed(target) if not_consented(s).is_none() => Some(target),
        _ => None,
    };
    let target = target.filter(|target| matches!(isolation_of(s, target), Isolation::Isolated(_)));
    let pods = target.and_then(|target| {
        let pods = selector_of(&target.object)?;
        Some((target.object.namespace(), Selector::from(pods)))
    });
    own(s).filter(move |found| {
        let selected = found.object.body.spec().pod_selector.map(Selector::from);
        let may_stay = |(namespace, pods): &(&str, Selector)| {
            found.object.namespace == *namespace && selected.as_ref() == Some(pods)
        };
        !pods.as_ref().is_some_and(may_stay) && !may_stay_without_target(s, found)
    })
}

fn may_stay_without_target(s: &Snapshot, found: &Observed<Policy>) -> bool {
    not_consented(s).is_none() && policy_without_target::may_stay(s, found)
}

/// True if the policy of the plan exists as desired.
pub(crate) fn is_written(s: &Snapshot, desired: &ChildSpec<Policy>) -> bool {
    own(s).any(|found| !found.terminating && found.object == *desired)
}

/// True if the target's namespace permits a policy of this link.
pub(crate) fn is_policy_permitted(s: &Snapshot) -> bool {
    not_consented(s).is_none()
}

fn allow_spec(
    pods: LabelSelector,
    source: LabelSelector,
    ports: &BTreeSet<(Protocol, PodPort)>,
    from_namespace: Option<&str>,
) -> NetworkPolicySpec {
    let port = |(protocol, port): &(Protocol, PodPort)| NetworkPolicyPort {
        protocol: Some(protocol.as_str().to_owned()),
        port: Some(port.clone().into()),
        end_port: None,
    };
    NetworkPolicySpec {
        pod_selector: Some(pods),
        policy_types: Some(vec!["Ingress".to_owned()]),
        ingress: Some(vec![NetworkPolicyIngressRule {
            from: Some(vec![NetworkPolicyPeer {
                namespace_selector: from_namespace.map(|namespace| LabelSelector {
                    match_labels: Some(labels([(NAMESPACE_NAME, namespace)])),
                    match_expressions: None,
                }),
                pod_selector: Some(source),
                ip_block: None,
            }]),
            ports: Some(ports.iter().map(port).collect()),
        }]),
        egress: None,
    }
}

/// The refusal if the target's namespace does not consent to a policy.
fn not_consented(s: &Snapshot) -> Option<Refusal> {
    let spec = &s.link.object.spec;
    let reference = spec.target_instance_ref.as_ref()?;
    let namespace = reference.namespace.as_deref()?;
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    (!is_permitted(s, reference, Permission::NetworkPolicy)).then(|| Refusal {
        reason: Reason::Forbidden,
        message: manifest(spec, reference, namespace, own),
    })
}

/// Why a policy would reach pods that are not the target's, and what to do.
pub(crate) fn selects_others(target: &Target, pods: &BTreeSet<String>) -> String {
    let object = &target.object;
    let (kind, namespace, name) = (object.kind(), object.namespace(), object.name());
    format!(
        "other pods have the labels by which a NetworkPolicy selects the pods of {kind} {namespace}/{name}: {}. The link writes \
         no NetworkPolicy, because it would also isolate these pods and let the source in to them. Give them other labels \
         (kubectl -n {namespace} label --overwrite pod NAME LABEL=VALUE), or set targetInstanceRef to a Service that selects \
         all of these pods, or write networkPolicy: None",
        listed(pods)
    )
}

fn no_labels(target: &Target) -> Unservable {
    Unservable {
        reason: Reason::AddressingNotPossible,
        message: format!(
            "networkPolicy: Allow needs labels that select the pods of the target, but the target {} has no selector and no \
             labels; add them, or write networkPolicy: None",
            target.object.kind()
        ),
    }
}

#[cfg(test)]
mod tests;
