//! The specs of the two policies of a link. Each allows connections from the source's pods to the target's pods on the link's
//! ports, at one end, and nothing else.

use std::collections::BTreeSet;

use instancelink_api::spec::Protocol;
use k8s_openapi::api::networking::v1::{
    NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::ports::listed;
use crate::dataplane::naming::labels;
use crate::resolve::pod_ports::PodPort;

/// The label of every namespace with its own name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The pods of one end of a link.
#[derive(Clone, Debug)]
pub(super) struct End<'a> {
    pub(super) pods: LabelSelector,
    pub(super) namespace: &'a str,
}

impl End<'_> {
    /// These pods as the peer of a policy in a namespace.
    pub(super) fn peer_in(&self, namespace: &str) -> NetworkPolicyPeer {
        NetworkPolicyPeer {
            namespace_selector: (self.namespace != namespace).then(|| LabelSelector {
                match_labels: Some(labels([(NAMESPACE_NAME, self.namespace)])),
                match_expressions: None,
            }),
            pod_selector: Some(self.pods.clone()),
            ip_block: None,
        }
    }
}

/// The connections that a link declares.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    pub(super) source: End<'a>,
    pub(super) target: End<'a>,
    pub(super) ports: BTreeSet<(Protocol, PodPort)>,
}

impl Way<'_> {
    /// The policy in front of the target.
    pub(super) fn ingress(&self) -> NetworkPolicySpec {
        NetworkPolicySpec {
            pod_selector: Some(self.target.pods.clone()),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                from: Some(vec![self.source.peer_in(self.target.namespace)]),
                ports: Some(listed(&self.ports)),
            }]),
            egress: None,
        }
    }

    /// The policy behind the source.
    pub(super) fn egress(&self) -> NetworkPolicySpec {
        NetworkPolicySpec {
            pod_selector: Some(self.source.pods.clone()),
            policy_types: Some(vec!["Egress".to_owned()]),
            ingress: None,
            egress: Some(vec![NetworkPolicyEgressRule {
                to: Some(vec![self.target.peer_in(self.source.namespace)]),
                ports: Some(listed(&self.ports)),
            }]),
        }
    }
}

/// The namespace that a policy for egress leads to. None for the policy's own.
pub(super) fn namespace_of_egress(spec: &NetworkPolicySpec) -> Option<String> {
    let rule = spec.egress.as_ref()?.first()?;
    let selector = rule.to.as_ref()?.first()?.namespace_selector.as_ref()?;
    selector.match_labels.as_ref()?.get(NAMESPACE_NAME).cloned()
}
