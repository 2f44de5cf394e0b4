//! An EndpointSlice that others write for a Service without a selector.

use std::net::IpAddr;

use instancelink_api::keys;
use instancelink_api::spec::Protocol;
use k8s_openapi::api::discovery::v1 as discovery;

use crate::child::SlicePort;

/// The addresses and ports that a slice of others gives to a Service of its namespace.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ServiceSlice {
    /// The namespace of the slice and of the Service.
    pub namespace: String,
    /// The Service that its label names; empty if it names none.
    pub service: String,
    /// Its addresses.
    pub addresses: Vec<SliceAddress>,
    /// Its ports that have a number.
    pub ports: Vec<SlicePort>,
}

/// An address in a slice of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceAddress {
    /// The address.
    pub address: IpAddr,
    /// It accepts connections.
    pub ready: bool,
    /// It accepts connections, even if it is terminating.
    pub serving: bool,
    /// It is being deleted.
    pub terminating: bool,
}

impl From<discovery::EndpointSlice> for ServiceSlice {
    fn from(slice: discovery::EndpointSlice) -> Self {
        let labels = slice.metadata.labels.unwrap_or_default();
        let addresses = slice.endpoints.unwrap_or_default().into_iter();
        let ports = slice.ports.unwrap_or_default().into_iter();
        Self {
            namespace: slice.metadata.namespace.unwrap_or_default(),
            service: labels.get(keys::SERVICE_NAME).cloned().unwrap_or_default(),
            addresses: addresses.filter_map(address_of).collect(),
            ports: ports.filter_map(port_of).collect(),
        }
    }
}

/// An endpoint stands for its first address, as for kube-proxy. A condition that is absent is true, and a host name is no address.
fn address_of(endpoint: discovery::Endpoint) -> Option<SliceAddress> {
    let address = endpoint.addresses.first()?.parse().ok()?;
    let conditions = endpoint.conditions.unwrap_or_default();
    let ready = conditions.ready.unwrap_or(true);
    Some(SliceAddress {
        address,
        ready,
        serving: conditions.serving.unwrap_or(ready),
        terminating: conditions.terminating.unwrap_or(false),
    })
}

/// A port without a number means all ports.
fn port_of(port: discovery::EndpointPort) -> Option<SlicePort> {
    let number = port.port.and_then(|port| u16::try_from(port).ok())?;
    Some(SlicePort {
        name: port.name.unwrap_or_default(),
        port: number,
        protocol: Protocol::of(port.protocol.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(json: &str) -> ServiceSlice {
        let slice: discovery::EndpointSlice = serde_json::from_str(json).unwrap();
        ServiceSlice::from(slice)
    }

    /// contract#endpoints-of-others
    #[test]
    fn a_condition_that_is_absent_is_true_and_the_first_address_counts() {
        let found = slice(
            r#"{"metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "pg"}}, "addressType": "IPv4",
                "endpoints": [
                    {"addresses": ["192.0.2.1", "192.0.2.9"]},
                    {"addresses": ["192.0.2.2"], "conditions": {"ready": false}},
                    {"addresses": ["192.0.2.3"], "conditions": {"ready": false, "serving": true, "terminating": true}}],
                "ports": [{"name": "pg", "port": 5432}, {"name": "any"}]}"#,
        );
        let shown: Vec<String> = found
            .addresses
            .iter()
            .map(|a| format!("{} {}/{}/{}", a.address, a.ready, a.serving, a.terminating))
            .collect();
        assert_eq!(
            shown,
            [
                "192.0.2.1 true/true/false",
                "192.0.2.2 false/false/false",
                "192.0.2.3 false/true/true"
            ]
        );
        assert_eq!((found.service.as_str(), found.ports.len()), ("pg", 1));
    }

    /// contract#endpoints-of-others
    #[test]
    fn a_host_name_is_no_address() {
        let found =
            slice(r#"{"metadata": {}, "addressType": "FQDN", "endpoints": [{"addresses": ["db.example.com"]}]}"#);
        assert!(found.addresses.is_empty() && found.service.is_empty());
    }
}
