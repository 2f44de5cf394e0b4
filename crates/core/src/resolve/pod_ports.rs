//! The pod ports behind a link's ports: numbers for endpoints, numbers or names for a policy.

use std::collections::BTreeSet;

use instancelink_api::spec::Protocol;
use instancelink_api::{Addressing, InstanceLinkSpec, LinkPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::addressing::uses_cluster_ips;
use super::ports::{NamedPort, Port, number_of};
use crate::snapshot::{ServicePort, TargetObject};

/// The ports of a pod or a slice behind the virtual IP's `ports`, with the names of these. `named` are the ports that the pod or
/// slice declares. Two may have the same number.
pub fn behind_virtual_ip(declared: &[LinkPort], ports: &[Port], named: &[impl NamedPort]) -> Vec<Port> {
    let target_port = |port: &Port| {
        let target_port = declared_port(declared, port).and_then(|p| p.target_port.as_ref());
        number_of(target_port, port.port, port.protocol, named)
    };
    let resolved = ports.iter().map(|port| {
        Some(Port {
            port: target_port(port)?,
            ..port.clone()
        })
    });
    resolved.flatten().collect()
}

/// A port of pods in a policy: a number, or a name that each container resolves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodPort {
    /// A number.
    Number(u16),
    /// A name.
    Name(String),
}

impl PodPort {
    fn of(target: Option<&IntOrString>, port: u16) -> Self {
        match target {
            Some(IntOrString::String(name)) => Self::Name(name.clone()),
            Some(IntOrString::Int(number)) if *number != 0 => Self::Number(u16::try_from(*number).unwrap_or(port)),
            None | Some(IntOrString::Int(_)) => Self::Number(port),
        }
    }
}

impl From<PodPort> for IntOrString {
    fn from(port: PodPort) -> Self {
        match port {
            PodPort::Number(number) => Self::Int(i32::from(number)),
            PodPort::Name(name) => Self::String(name),
        }
    }
}

/// The ports of the target's pods behind the link's ports. A policy applies at the pod, after every Service has translated
/// the port.
pub fn of_pods(spec: &InstanceLinkSpec, object: &TargetObject, ports: &[Port]) -> BTreeSet<(Protocol, PodPort)> {
    let declared = spec.ports.as_deref().unwrap_or_default();
    match object {
        TargetObject::Service(service) if declared.is_empty() || uses_cluster_ips(spec, service) => {
            let is_used = |p: &&ServicePort| {
                declared.is_empty() || ports.iter().any(|own| (own.port, own.protocol) == (p.port, p.protocol))
            };
            let own = service.ports.iter().filter(is_used);
            own.map(|p| (p.protocol, PodPort::of(p.target_port.as_ref(), p.port)))
                .collect()
        }
        _ if spec.addressing == Addressing::VirtualIP => {
            let target = |port: &Port| declared_port(declared, port).and_then(|p| p.target_port.as_ref());
            let own = ports.iter();
            own.map(|port| (port.protocol, PodPort::of(target(port), port.port)))
                .collect()
        }
        _ => ports
            .iter()
            .map(|port| (port.protocol, PodPort::Number(port.port)))
            .collect(),
    }
}

/// The entry of a port in the spec.
pub fn declared_port<'a>(declared: &'a [LinkPort], port: &Port) -> Option<&'a LinkPort> {
    let same = |p: &&LinkPort| p.port == i32::from(port.port) && p.protocol.unwrap_or_default() == port.protocol;
    declared.iter().find(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, service, service_port};
    use crate::snapshot::Service;

    fn spec(more: &str) -> InstanceLinkSpec {
        fixture::link(&format!("{}{more}", fixture::SPEC)).spec
    }

    fn named(name: &str) -> IntOrString {
        IntOrString::String(name.to_owned())
    }

    fn to(target_port: Option<IntOrString>) -> Service {
        Service {
            ports: vec![ServicePort {
                target_port,
                ..service_port("pg", 5432)
            }],
            ..service()
        }
    }

    fn ports(spec: &InstanceLinkSpec, service: Service, port: u16) -> Vec<PodPort> {
        let port = Port {
            additional: false,
            name: "pg".to_owned(),
            port,
            protocol: Protocol::Tcp,
        };
        let found = of_pods(spec, &TargetObject::Service(service.into()), &[port]);
        found.into_iter().map(|(_, port)| port).collect()
    }

    /// contract#named-target-ports
    #[test]
    fn a_missing_or_zero_target_port_is_the_port_of_the_service() {
        let plain = spec("");
        for own in [None, Some(IntOrString::Int(0))] {
            assert_eq!(ports(&plain, to(own), 5432), [PodPort::Number(5432)]);
        }
        assert_eq!(
            ports(&plain, to(Some(IntOrString::Int(5433))), 5432),
            [PodPort::Number(5433)]
        );
        assert_eq!(
            ports(&plain, to(Some(named("sql"))), 5432),
            [PodPort::Name("sql".to_owned())]
        );
    }

    /// contract#spec-ports
    #[test]
    fn a_declared_target_port_counts_with_a_virtual_ip_only() {
        let declared = |addressing: &str| {
            spec(&format!(
                "addressing: {addressing}\nports: [{{name: pg, port: 80, targetPort: 5433}}]"
            ))
        };
        let target = || to(Some(IntOrString::Int(5434)));
        assert_eq!(ports(&declared("VirtualIP"), target(), 80), [PodPort::Number(5433)]);
        assert_eq!(ports(&declared("PodIP"), target(), 80), [PodPort::Number(80)]);
    }
}
