//! The policy: a NetworkPolicy in the target's namespace that lets the source's pods in.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};

use super::{ChildSpec, Observed};

/// What a policy says, as the API has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Whom it lets in where.
    pub spec: Box<NetworkPolicySpec>,
}

impl From<NetworkPolicy> for Observed<Policy> {
    fn from(policy: NetworkPolicy) -> Self {
        let spec = Box::new(policy.spec.unwrap_or_default());
        Self::of(policy.metadata, Policy { spec })
    }
}

impl ChildSpec<Policy> {
    /// The NetworkPolicy to send.
    pub fn to_api(&self, replaces: Option<(&str, &str)>) -> NetworkPolicy {
        NetworkPolicy {
            metadata: self.metadata(replaces),
            spec: Some((*self.body.spec).clone()),
        }
    }
}
