//! The directory: a headless Service without a selector or ports, one per source.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::service::{HEADLESS, is_damaged};
use super::{ChildSpec, Observed};

/// The fields of a directory's Service that matter. Any value but [`Directory::RIGHT`] is damage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// `clusterIP: None`.
    pub headless: bool,
    /// Another field has a value that the operator does not give it: ports, which only the slices have, a selector, which
    /// would let Kubernetes write its own slices, or one that all Services of links leave to its default.
    pub damaged: bool,
}

impl Directory {
    /// The only correct value.
    pub const RIGHT: Self = Self {
        headless: true,
        damaged: false,
    };
}

impl From<Service> for Observed<Directory> {
    fn from(service: Service) -> Self {
        let spec = service.spec.unwrap_or_default();
        let body = Directory {
            headless: spec.cluster_ip.as_deref() == Some(HEADLESS),
            damaged: is_damaged(&spec) || spec.ports.is_some_and(|ports| !ports.is_empty()),
        };
        Self::of(service.metadata, body)
    }
}

impl ChildSpec<Directory> {
    /// The Service to send.
    pub fn to_api(&self) -> Service {
        Service {
            metadata: self.metadata(),
            spec: Some(ServiceSpec {
                cluster_ip: Some(HEADLESS.to_owned()),
                type_: Some("ClusterIP".to_owned()),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }
}
