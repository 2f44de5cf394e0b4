//! Builds the policies of a link: ingress from the source's pods to the target's pods on the link's ports in the target's
//! namespace, and egress for the same connections in the source's. Each is written only where policies of others isolate that
//! end (contract#network-policy, contract#egress-policy).

mod allow;
mod consent;
mod kept;
mod ports;
mod reach;

use instancelink_api::condition::Reason;
use instancelink_api::keys;
use instancelink_api::spec::NetworkPolicyMode;
use k8s_openapi::api::networking::v1::NetworkPolicySpec;

use super::naming::{Names, labels};
use crate::child::{self, ChildSpec, Policy};
use crate::refusal::Refusal;
use crate::resolve::egress::egress_isolation_of;
use crate::resolve::endpoints::EndpointGroups;
use crate::resolve::isolation::{Isolation, isolation_of, selector_of};
use crate::resolve::pod_ports::of_pods;
use crate::resolve::{TargetVerdict, Unservable, target_of};
use crate::snapshot::{Snapshot, Target};
use allow::{End, Way};
use consent::not_consented;

pub(crate) use consent::is_policy_permitted;
pub(crate) use reach::{is_written, selects_others};
pub(super) use reach::{leads_to, overreaching, own, unconsented};

/// The desired policies, and why one of them is not allowed.
#[derive(Debug, Default)]
pub(super) struct DesiredPolicies {
    pub(super) ingress: Option<ChildSpec<Policy>>,
    pub(super) egress: Option<ChildSpec<Policy>>,
    pub(super) refused: Option<Refusal>,
}

impl DesiredPolicies {
    fn refused(refusal: Refusal) -> Self {
        Self {
            refused: Some(refusal),
            ..Self::default()
        }
    }
}

/// Builds the desired policies, if the spec asks for them and the target exists: for each end that policies of others isolate.
/// Without the target, policies that exist may stay.
///
/// # Errors
/// If no policy can express what the spec asks for.
pub(super) fn desired(
    s: &Snapshot,
    names: &Names<'_>,
    endpoints: &EndpointGroups,
) -> Result<DesiredPolicies, Unservable> {
    let spec = &s.link.object.spec;
    let target = match target_of(s) {
        TargetVerdict::Observed(target) => target,
        TargetVerdict::Missing { .. } => return Ok(reach::kept_without_target(s, names)),
        TargetVerdict::NoTarget
        | TargetVerdict::NotPermitted { .. }
        | TargetVerdict::NotSupported { .. }
        | TargetVerdict::Unusable { .. } => return Ok(DesiredPolicies::default()),
    };
    if spec.network_policy == NetworkPolicyMode::None {
        return Ok(DesiredPolicies::default());
    }
    if let Some(refusal) = not_consented(s) {
        return Ok(DesiredPolicies::refused(refusal));
    }
    let pods = selector_of(&target.object).ok_or_else(|| no_labels(target))?;
    let Some(source) = s.source.as_ref() else {
        return Ok(DesiredPolicies::default());
    };
    let source_pods = source.pods.to_api().ok_or_else(|| Unservable {
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
    let way = Way {
        source: End {
            pods: source_pods,
            namespace: names.namespace,
        },
        target: End {
            pods,
            namespace: target.object.namespace(),
        },
        ports,
    };
    let mut desired = DesiredPolicies::default();
    match isolation_of(s, target) {
        Isolation::Isolated(_) => {
            let name = child::names::policy(names.link, names.link_uid);
            desired.ingress = Some(object(names, way.target.namespace, name, &way.ingress()));
        }
        Isolation::Shared(pods) => return Ok(DesiredPolicies::refused(reach::refusal(target, &pods))),
        Isolation::Partly(_) | Isolation::Open | Isolation::TooCostly => {}
    }
    match egress_isolation_of(s, source, target) {
        Isolation::Isolated(_) => {
            let name = child::names::egress(names.link, names.link_uid);
            desired.egress = Some(object(names, names.namespace, name, &way.egress()));
        }
        Isolation::Shared(pods) => desired.refused = Some(reach::refusal(target, &pods)),
        Isolation::Partly(_) | Isolation::Open | Isolation::TooCostly => {}
    }
    Ok(desired)
}

fn object(names: &Names<'_>, namespace: &str, name: String, spec: &NetworkPolicySpec) -> ChildSpec<Policy> {
    ChildSpec {
        namespace: namespace.to_owned(),
        name,
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path())]),
        // The garbage collector ignores owners in other namespaces: finalizer and sweep delete such a policy.
        owners: if namespace == names.namespace {
            names.link_owner()
        } else {
            Vec::new()
        },
        body: Policy::from(spec),
    }
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
