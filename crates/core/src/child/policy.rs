//! A policy: a NetworkPolicy in the target's namespace that allows connections from the source's pods, or one in the link's
//! namespace that allows the source's pods to open them.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{ChildSpec, Observed, names};

/// The content of a policy: its spec as text, because anyone may write a policy that looks like one of ours, and the spec of the
/// API's type takes ten times the memory of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    text: Box<str>,
}

impl Policy {
    /// Which pods may connect to which pods.
    pub fn spec(&self) -> NetworkPolicySpec {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The bytes that it takes.
    pub const fn size(&self) -> usize {
        self.text.len()
    }
}

impl From<&NetworkPolicySpec> for Policy {
    fn from(spec: &NetworkPolicySpec) -> Self {
        Self {
            text: serde_json::to_string(spec).unwrap_or_default().into(),
        }
    }
}

impl From<NetworkPolicy> for Observed<Policy> {
    fn from(policy: NetworkPolicy) -> Self {
        let body = Policy::from(&policy.spec.unwrap_or_default());
        Self::of(policy.metadata, body)
    }
}

impl ChildSpec<Policy> {
    /// The labels that the pods of the target have, by this policy. None if the target is in another namespace, or the policy
    /// is not as the operator writes it.
    pub fn targets_beside_it(&self) -> Option<LabelSelector> {
        let spec = self.body.spec();
        if !names::is_egress(&self.name) {
            return spec.pod_selector;
        }
        let mut peers = spec.egress?.into_iter().flat_map(|rule| rule.to.unwrap_or_default());
        let peer = peers.next().filter(|_| peers.next().is_none())?;
        let is_beside = peer.namespace_selector.is_none() && peer.ip_block.is_none();
        peer.pod_selector.filter(|_| is_beside)
    }

    /// The NetworkPolicy to send.
    pub fn to_api(&self, replaces: Option<(&str, &str)>) -> NetworkPolicy {
        NetworkPolicy {
            metadata: self.metadata(replaces),
            spec: Some(self.body.spec()),
        }
    }
}
