//! The directory: a headless Service without a selector or ports, one per source.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::{ChildSpec, Observed};

/// The fields of a directory's Service that matter. Any value but [`Directory::RIGHT`] is damage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // four independent facts, not a state
pub struct Directory {
    /// `clusterIP: None`.
    pub headless: bool,
    /// It has a selector, which would let Kubernetes write its own slices.
    pub has_selector: bool,
    /// It has ports. A directory has none; the slices have them.
    pub has_ports: bool,
    /// `type: ClusterIP`.
    pub is_cluster_ip: bool,
}

impl Directory {
    /// The only correct value.
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
