//! The virtual IP: a ClusterIP Service of one link, without a selector. Its slices hold the target's pods.

use std::net::IpAddr;

use instancelink_api::spec::Protocol;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::service::{HEADLESS, is_damaged};
use super::{ChildSpec, Observed, collect_exact};

/// An address of each family that the cluster has.
const FAMILIES: &str = "PreferDualStack";

/// The content of a virtual IP's Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualIp {
    /// Its ports, in the order of the link's.
    pub ports: Vec<VirtualPort>,
    /// The addresses that Kubernetes assigned, at most one of each family; empty before it exists.
    pub addresses: Vec<IpAddr>,
    /// The Service is headless, so it has no address, or another field has a value that the operator does not give it, such as a
    /// selector, which would let Kubernetes write its own slices, or an address outside the cluster.
    pub damaged: bool,
}

/// One port of a virtual IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualPort {
    /// Its name. The slices' ports have the same name: kube-proxy matches them by it.
    pub name: String,
    /// The port clients connect to.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The pods' port, for readers only: without a selector, the slices decide.
    pub target_port: IntOrString,
}

impl From<Service> for Observed<VirtualIp> {
    fn from(service: Service) -> Self {
        let spec = service.spec.unwrap_or_default();
        let families = spec.ip_family_policy.as_deref().unwrap_or(FAMILIES);
        let is_headless = spec.cluster_ip.as_deref() == Some(HEADLESS);
        let damaged =
            is_damaged(&spec) || is_headless || families != FAMILIES || spec.ports.iter().flatten().any(is_altered);
        let listed = spec.cluster_ips.unwrap_or_default();
        let single = spec.cluster_ip.filter(|_| listed.is_empty());
        let addresses = listed.iter().chain(&single).filter_map(|ip| ip.parse().ok());
        let body = VirtualIp {
            ports: collect_exact(spec.ports.unwrap_or_default().into_iter().map(port_of)),
            addresses: collect_exact(addresses),
            damaged,
        };
        Self::of(service.metadata, body)
    }
}

impl ChildSpec<VirtualIp> {
    /// The Service to send. An assigned address is kept, because it is immutable.
    pub fn to_api(&self) -> Service {
        let addresses: Vec<String> = self.body.addresses.iter().map(IpAddr::to_string).collect();
        Service {
            metadata: self.metadata(),
            spec: Some(ServiceSpec {
                type_: Some("ClusterIP".to_owned()),
                ip_family_policy: Some(FAMILIES.to_owned()),
                ports: Some(self.body.ports.iter().map(port_to_api).collect()),
                cluster_ip: addresses.first().cloned(),
                cluster_ips: (!addresses.is_empty()).then_some(addresses),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }
}

/// True if a field of a port has a value that the operator does not give it.
fn is_altered(port: &ServicePort) -> bool {
    let ServicePort {
        name: _,
        port: _,
        protocol: _,
        target_port: _,
        app_protocol,
        node_port,
    } = port;
    app_protocol.is_some() || node_port.unwrap_or_default() != 0
}

fn port_of(port: ServicePort) -> VirtualPort {
    let number = u16::try_from(port.port).unwrap_or_default();
    VirtualPort {
        name: port.name.unwrap_or_default(),
        port: number,
        protocol: Protocol::of(port.protocol.as_deref()),
        target_port: port.target_port.unwrap_or(IntOrString::Int(i32::from(number))),
    }
}

fn port_to_api(port: &VirtualPort) -> ServicePort {
    ServicePort {
        name: Some(port.name.clone()),
        port: i32::from(port.port),
        protocol: Some(port.protocol.as_str().to_owned()),
        target_port: Some(port.target_port.clone()),
        ..ServicePort::default()
    }
}
