//! The slice: an EndpointSlice with the addresses of one alias and one family.

use std::net::IpAddr;

use instancelink_api::spec::Protocol;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1 as discovery;
use serde::{Deserialize, Serialize};

use super::{ChildSpec, Observed, collect_exact};

/// The address family of a slice. It is immutable in the API, so it is part of the slice's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// `v4` or `v6`, the part of the slice's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
        }
    }

    const fn address_type(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// The content of a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Family of all its addresses.
    pub family: Family,
    /// Its endpoints, sorted.
    pub endpoints: Vec<Endpoint>,
    /// Its ports, in the order of the link's ports.
    pub ports: Vec<SlicePort>,
    /// It also has endpoints that the operator did not write: with several addresses, or with one that does not parse.
    /// They are not in `endpoints`, but DNS may still return them. Or it has hints or application protocols, which the operator
    /// does not write: they decide which clients use an endpoint, and how. Or it is a slice of names, which no DNS and no proxy
    /// reads.
    pub damaged: bool,
}

/// One address behind the alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The DNS label under the directory: the alias. Empty under a virtual IP, because only the virtual IP has a name.
    pub hostname: String,
    /// DNS returns it or, under a virtual IP, kube-proxy uses it.
    pub ready: bool,
    /// It accepts connections, even if it is terminating.
    pub serving: bool,
    /// It is being deleted.
    pub terminating: bool,
    /// The Pod, Service or `ServiceImport` that has this address.
    pub target: Option<EndpointTarget>,
    /// The node it runs on.
    pub node: Option<String>,
    /// The zone it runs in.
    pub zone: Option<String>,
}

impl Endpoint {
    /// True if it is ready and connections to it may succeed. The address of a Service is ready in any case, because its name does
    /// not depend on pods (contract#fixed-names).
    pub fn answers(&self) -> bool {
        self.ready && (self.serving || !self.is_of_service())
    }

    fn is_of_service(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.kind == "Service")
    }
}

/// `targetRef` of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EndpointTarget {
    /// `Pod`, `Service` or `ServiceImport`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// One port of a slice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlicePort {
    /// `<linkName>` for the first port, `<linkName>--<port name>` for others.
    pub name: String,
    /// Port number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

impl From<discovery::EndpointSlice> for Observed<Slice> {
    fn from(slice: discovery::EndpointSlice) -> Self {
        let family = if slice.address_type == Family::V6.address_type() {
            Family::V6
        } else {
            Family::V4
        };
        let is_of_names = slice.address_type != family.address_type();
        let endpoints = slice.endpoints.unwrap_or_default();
        let (count, has_hints) = (endpoints.len(), endpoints.iter().any(has_hints));
        let ports = slice.ports.unwrap_or_default();
        let has_protocols = ports.iter().any(|port| port.app_protocol.is_some());
        let endpoints = collect_exact(endpoints.into_iter().filter_map(endpoint_of));
        let body = Slice {
            family,
            damaged: is_of_names || endpoints.len() < count || has_hints || has_protocols,
            endpoints,
            ports: collect_exact(ports.into_iter().map(port_of)),
        };
        Self::of(slice.metadata, body)
    }
}

impl ChildSpec<Slice> {
    /// The EndpointSlice to send.
    pub fn to_api(&self) -> discovery::EndpointSlice {
        discovery::EndpointSlice {
            metadata: self.metadata(),
            address_type: self.body.family.address_type().to_owned(),
            endpoints: Some(self.body.endpoints.iter().map(endpoint_to_api).collect()),
            ports: Some(self.body.ports.iter().map(port_to_api).collect()),
        }
    }
}

/// True if fields of the endpoint that the operator does not write limit which clients use it.
fn has_hints(endpoint: &discovery::Endpoint) -> bool {
    endpoint.hints.is_some()
        || endpoint
            .deprecated_topology
            .as_ref()
            .is_some_and(|zones| !zones.is_empty())
}

fn endpoint_of(endpoint: discovery::Endpoint) -> Option<Endpoint> {
    let discovery::Endpoint {
        addresses,
        conditions,
        hostname,
        node_name,
        target_ref,
        zone,
        deprecated_topology: _,
        hints: _,
    } = endpoint;
    let address = addresses.first().filter(|_| addresses.len() == 1)?.parse().ok()?;
    let conditions = conditions.unwrap_or_default();
    Some(Endpoint {
        address,
        hostname: hostname.unwrap_or_default(),
        ready: conditions.ready.unwrap_or(true),
        serving: conditions.serving.unwrap_or(true),
        terminating: conditions.terminating.unwrap_or(false),
        target: target_ref.map(|r| EndpointTarget {
            kind: r.kind.unwrap_or_default(),
            namespace: r.namespace.unwrap_or_default(),
            name: r.name.unwrap_or_default(),
            uid: r.uid.unwrap_or_default(),
        }),
        node: node_name,
        zone,
    })
}

fn endpoint_to_api(endpoint: &Endpoint) -> discovery::Endpoint {
    discovery::Endpoint {
        addresses: vec![endpoint.address.to_string()],
        conditions: Some(discovery::EndpointConditions {
            ready: Some(endpoint.ready),
            serving: Some(endpoint.serving),
            terminating: Some(endpoint.terminating),
        }),
        hostname: Some(endpoint.hostname.clone()).filter(|name| !name.is_empty()),
        node_name: endpoint.node.clone(),
        target_ref: endpoint.target.as_ref().map(|t| ObjectReference {
            kind: Some(t.kind.clone()),
            namespace: Some(t.namespace.clone()),
            name: Some(t.name.clone()),
            uid: Some(t.uid.clone()),
            ..ObjectReference::default()
        }),
        zone: endpoint.zone.clone(),
        ..discovery::Endpoint::default()
    }
}

fn port_of(port: discovery::EndpointPort) -> SlicePort {
    SlicePort {
        name: port.name.unwrap_or_default(),
        port: port.port.and_then(|p| u16::try_from(p).ok()).unwrap_or_default(),
        protocol: Protocol::of(port.protocol.as_deref()),
    }
}

fn port_to_api(port: &SlicePort) -> discovery::EndpointPort {
    discovery::EndpointPort {
        name: Some(port.name.clone()),
        port: Some(i32::from(port.port)),
        protocol: Some(port.protocol.as_str().to_owned()),
        app_protocol: None,
    }
}
