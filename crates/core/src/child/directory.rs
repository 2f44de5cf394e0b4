//! The directory: a headless Service without selector or ports, one per source.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::{ChildSpec, Observed};

/// What a directory's Service must be; any other value of a field is damage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // four independent findings, not a state
pub struct Directory {
    /// `clusterIP: None`.
    pub headless: bool,
    /// A selector would let Kubernetes write slices of its own.
    pub has_selector: bool,
    /// Ports of the Service; ours has none, the slices have them.
    pub has_ports: bool,
    /// Of type ClusterIP.
    pub is_cluster_ip: bool,
}

impl Directory {
    /// The one right shape.
    pub const RIGHT: Self = Self {
        headless: true,
        has_selector: false,
        has_ports: false,
        is_cluster_ip: true,
    };
}

impl From<Service> for Observed<Directory> {
    fn from(service: Service) -> Self {
        let spec = service.spec.unwrap_or_default();
        let body = Directory {
            headless: spec.cluster_ip.as_deref() == Some("None"),
            has_selector: spec.selector.is_some_and(|s| !s.is_empty()),
            has_ports: spec.ports.is_some_and(|p| !p.is_empty()),
            is_cluster_ip: spec.type_.as_deref().unwrap_or("ClusterIP") == "ClusterIP",
        };
        Self::of(service.metadata, body)
    }
}

impl ChildSpec<Directory> {
    /// The Service to send.
    pub fn to_api(&self, replaces: Option<(&str, &str)>) -> Service {
        Service {
            metadata: self.metadata(replaces),
            spec: Some(ServiceSpec {
                cluster_ip: Some("None".to_owned()),
                type_: Some("ClusterIP".to_owned()),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }
}
