//! The policy: a NetworkPolicy in the target's namespace that allows connections from the source's pods.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};

use super::{ChildSpec, Observed};

/// The content of a policy, in the API's own type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Which pods may connect to which pods.
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
