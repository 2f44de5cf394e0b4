//! The pods of the target, by a policy that is written: while the target is missing, nothing else says which they were.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{ChildSpec, Policy, names};

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
}
