//! A policy: a NetworkPolicy in the target's namespace that allows connections from the source's pods, or one in the link's
//! namespace that allows the source's pods to open them.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};

use super::{ChildSpec, Observed};

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
    /// The NetworkPolicy to send.
    pub fn to_api(&self) -> NetworkPolicy {
        NetworkPolicy {
            metadata: self.metadata(),
            spec: Some(self.body.spec()),
        }
    }
}
