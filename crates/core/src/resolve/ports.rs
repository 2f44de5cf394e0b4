//! The ports of a link: those in its spec, or else those that its target declares (contract#default-ports).

use std::collections::BTreeSet;

use instancelink_api::LinkPort;
use instancelink_api::condition::Reason;
use instancelink_api::spec::Protocol;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Unservable;
use crate::child::SlicePort;
use crate::snapshot::{ContainerPort, Pod, Service, ServicePort};

/// Most ports of an EndpointSlice.
const MOST_PORTS: usize = 100;
/// Longest name of a link's port.
const NAME_LENGTH: usize = 15;
/// Longest alias with several ports: 46, `--` and a name of 15 are the 63 characters of a port name in a slice.
const ALIAS_LENGTH_WITH_SEVERAL: usize = 46;

/// One port of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// False for the first declared port, which is named by the alias alone and sorts first.
    pub additional: bool,
    /// Its name, unique within the link.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// The ports in the spec.
pub fn of_spec(ports: &[LinkPort], alias: &str) -> Result<Vec<Port>, Unservable> {
    let declared = ports
        .iter()
        .map(|p| {
            let port = u16::try_from(p.port)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| Unservable {
                    reason: Reason::InvalidPorts,
                    message: format!(
                        "port {} in spec.ports is not a port number; write a number from 1 to 65535",
                        p.port
                    ),
                })?;
            Ok((p.name.as_str(), port, p.protocol.unwrap_or_default()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    normalize(declared.into_iter().map(Some), alias)
}

/// The ports that containers declare.
pub fn of_containers(ports: &[ContainerPort], alias: &str) -> Result<Vec<Port>, Unservable> {
    let declared = ports.iter().map(|p| Some((p.name.as_str(), p.port, p.protocol)));
    normalize(declared, alias)
}

/// The ports of a Service's cluster IP.
pub fn of_cluster_ip(service: &Service, alias: &str) -> Result<Vec<Port>, Unservable> {
    let declared = service
        .ports
        .iter()
        .map(|p| Some((p.name.as_str(), p.port, p.protocol)));
    normalize(declared, alias)
}

/// The ports of a Service's pod. A named target port that the pod does not declare is left out, as in Kubernetes; without a
/// pod all named ones are (contract#named-target-ports).
pub fn of_service_pod(service: &Service, pod: Option<&Pod>, alias: &str) -> Result<Vec<Port>, Unservable> {
    // Each target port is looked up in each pod, so the limit comes first.
    if service.ports.len() > MOST_PORTS {
        return Err(too_many(service.ports.len()));
    }
    let declared = service
        .ports
        .iter()
        .map(|p| Some((p.name.as_str(), target_port(p, pod)?, p.protocol)));
    normalize(declared, alias)
}

/// The ports of a slice that others write for a Service: those with the name of a port of the Service, as for kube-proxy. A slice
/// without ports has all ports, so those of the Service count; a Service without ports has those of the slice.
pub fn of_slice(service: &Service, slice: &[SlicePort], alias: &str) -> Result<Vec<Port>, Unservable> {
    if slice.is_empty() {
        return of_service_pod(service, None, alias);
    }
    if service.ports.is_empty() {
        return normalize(slice.iter().map(|p| Some(p.parts())), alias);
    }
    if service.ports.len() > MOST_PORTS {
        return Err(too_many(service.ports.len()));
    }
    let declared = service
        .ports
        .iter()
        .map(|p| Some((p.name.as_str(), named(slice, &p.name, p.protocol)?, p.protocol)));
    normalize(declared, alias)
}

fn too_many(declared: usize) -> Unservable {
    Unservable {
        reason: Reason::InvalidPorts,
        message: format!(
            "the target declares {declared} ports, but a link can have at most {MOST_PORTS}; list the ports that it needs in \
             spec.ports"
        ),
    }
}

fn target_port(port: &ServicePort, pod: Option<&Pod>) -> Option<u16> {
    let named = pod.map(|pod| pod.container_ports.as_slice()).unwrap_or_default();
    number_of(port.target_port.as_ref(), port.port, port.protocol, named)
}

/// A port that a pod or a slice declares.
pub trait NamedPort {
    /// Its name, number and protocol.
    fn parts(&self) -> (&str, u16, Protocol);
}

impl NamedPort for ContainerPort {
    fn parts(&self) -> (&str, u16, Protocol) {
        (&self.name, self.port, self.protocol)
    }
}

impl NamedPort for SlicePort {
    fn parts(&self) -> (&str, u16, Protocol) {
        (&self.name, self.port, self.protocol)
    }
}

/// The number of the port with this name and protocol.
fn named(ports: &[impl NamedPort], name: &str, protocol: Protocol) -> Option<u16> {
    let mut ports = ports.iter().map(NamedPort::parts);
    let found = ports.find(|(own, _, of)| *own == name && *of == protocol);
    found.map(|(_, number, _)| number)
}

/// The number of a target port. Without a target port, it is the port itself; a name is looked up in the declared ports.
pub(super) fn number_of(
    target: Option<&IntOrString>,
    port: u16,
    protocol: Protocol,
    declared: &[impl NamedPort],
) -> Option<u16> {
    match target {
        None | Some(IntOrString::Int(0)) => Some(port),
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) => named(declared, name, protocol),
    }
}

/// Drops repeated ports, gives each a name, and checks the limits of a slice. `None` is a declared port without a number for
/// this pod: it keeps its place, so that no other port becomes the first.
fn normalize<'a>(
    declared: impl Iterator<Item = Option<(&'a str, u16, Protocol)>>,
    alias: &str,
) -> Result<Vec<Port>, Unservable> {
    let mut seen = BTreeSet::new();
    let unnamed: Vec<(bool, &str, u16, Protocol)> = declared
        .enumerate()
        .filter_map(|(place, port)| port.map(|(name, number, protocol)| (place > 0, name, number, protocol)))
        .filter(|(_, _, number, protocol)| seen.insert((*number, *protocol)))
        .collect();
    // Naming takes a time that grows with the square of the number.
    if unnamed.len() > MOST_PORTS {
        return Err(too_many(unnamed.len()));
    }
    if unnamed.len() > 1 && alias.len() > ALIAS_LENGTH_WITH_SEVERAL {
        return Err(Unservable {
            reason: Reason::InvalidPorts,
            message: format!(
                "linkName {alias} has {} characters, but with more than one port it can have at most \
                 {ALIAS_LENGTH_WITH_SEVERAL}; list one port in spec.ports, or create a link with a shorter linkName",
                alias.len()
            ),
        });
    }
    Ok(name(&unnamed))
}

/// Names the ports. A declared name is kept if it is valid and not repeated; all other ports are named `p<port>`. A declared
/// name that equals another port's `p<port>` is replaced too. The result is unique, because (port, protocol) is.
fn name(unnamed: &[(bool, &str, u16, Protocol)]) -> Vec<Port> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<bool> = unnamed
        .iter()
        .map(|(_, name, ..)| is_valid_name(name) && seen.insert(*name))
        .collect();
    loop {
        let fallbacks: BTreeSet<String> = unnamed
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| !**kept)
            .map(|((_, _, port, protocol), _)| fallback_name(*port, *protocol))
            .collect();
        let mut changed = false;
        for ((_, name, ..), kept) in unnamed.iter().zip(&mut kept) {
            if *kept && fallbacks.contains(*name) {
                *kept = false;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    unnamed
        .iter()
        .zip(kept)
        .map(|(&(additional, name, port, protocol), kept)| Port {
            additional,
            name: if kept {
                name.to_owned()
            } else {
                fallback_name(port, protocol)
            },
            port,
            protocol,
        })
        .collect()
}

fn is_valid_name(name: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (1..=NAME_LENGTH).contains(&bytes.len())
        && bytes.iter().all(|b| plain(b) || *b == b'-')
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && !name.contains("--")
}

fn fallback_name(port: u16, protocol: Protocol) -> String {
    match protocol {
        Protocol::Tcp => format!("p{port}"),
        Protocol::Udp => format!("p{port}-udp"),
        Protocol::Sctp => format!("p{port}-sctp"),
    }
}

#[cfg(test)]
mod tests;
