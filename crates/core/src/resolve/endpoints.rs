//! What answers behind a link's alias: addresses, with the ports they answer on.

use std::collections::BTreeMap;
use std::net::IpAddr;

use instancelink_api::condition::Reason;
use instancelink_api::{Addressing, InstanceLinkSpec};

use super::pod_ports;
use super::pods::{is_usable, pods_behind};
use super::ports::{self, Port};
use super::{TargetVerdict, Unservable, target_of};
use crate::child::{Endpoint, EndpointTarget};
use crate::snapshot::{Candidate, Service, Snapshot, Target, TargetObject};

/// What answers behind an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Endpoints with the ports they answer on; usually one group. Sorted by ports, never empty ones.
    pub groups: Vec<Group>,
    /// The link's ports, as its environment shows them; those of the first group where pods differ.
    pub ports: Vec<Port>,
}

/// Endpoints that answer on the same ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The ports.
    pub ports: Vec<Port>,
    /// The endpoints, sorted.
    pub endpoints: Vec<Endpoint>,
}

/// Which addresses a target is reached by.
#[derive(Clone, Copy, Debug)]
enum Way<'a> {
    Pods,
    /// The same, on the ports that the virtual IP's ports lead to.
    PodsBehindVirtualIp,
    ClusterIps(&'a Service),
}

/// Finds what answers behind the alias. Nothing does, legally, where there is no target, or it is missing, or it is not
/// permitted: the endpoints of another namespace are nobody's to show without consent.
pub fn reach_of(s: &Snapshot) -> Result<Reach, Unservable> {
    let spec = &s.link.object.spec;
    if spec.addressing == Addressing::VirtualIP && named(spec).is_none() {
        return Err(not_possible(
            "addressing VirtualIP needs ports, because a cluster IP answers only on listed ports; list them in spec.ports"
                .to_owned(),
        ));
    }
    match target_of(s) {
        TargetVerdict::NotSupported { message } => Err(Unservable {
            reason: Reason::KindNotSupported,
            message,
        }),
        TargetVerdict::NoTarget | TargetVerdict::NotPermitted { .. } | TargetVerdict::Missing { .. } => Ok(Reach {
            groups: Vec::new(),
            ports: ports::of_spec(spec.ports.as_deref().unwrap_or_default(), &spec.link_name)?,
        }),
        TargetVerdict::Observed(target) => match way_to(target, spec)? {
            Way::ClusterIps(service) => by_cluster_ips(spec, target, service),
            Way::Pods => by_pods(spec, target),
            Way::PodsBehindVirtualIp => by_pods_behind_virtual_ip(spec, target),
        },
    }
}

/// True where a Service that may have no ready pod counts as answering: its selector finds a pod that counts, or it has
/// none, and somebody else writes its endpoints.
pub fn service_answers(target: &Target, service: &Service, publish: bool) -> bool {
    let publish = publish || service.publish_not_ready_addresses;
    service.selector.is_empty() || pods_behind(target).any(|candidate| candidate.pod.ready || publish)
}

/// True where the link leads to the Service's own addresses and not to its pods'.
pub(super) fn leads_to_cluster_ip(spec: &InstanceLinkSpec, service: &Service) -> bool {
    match spec.addressing {
        Addressing::ServiceIP => true,
        Addressing::Auto => !service.cluster_ips.is_empty(),
        Addressing::PodIP | Addressing::VirtualIP => false,
    }
}

fn way_to<'a>(target: &'a Target, spec: &InstanceLinkSpec) -> Result<Way<'a>, Unservable> {
    let service = match &target.object {
        TargetObject::Workload(_) | TargetObject::Pod(_) if spec.addressing == Addressing::ServiceIP => {
            return Err(not_possible(format!(
                "addressing ServiceIP needs a target of kind Service, but the target is a {}; write addressing: PodIP, or \
                 remove addressing",
                target.object.kind()
            )));
        }
        TargetObject::Workload(_) | TargetObject::Pod(_) => return Ok(way_to_pods(spec)),
        TargetObject::Service(service) => service,
    };
    let by_cluster_ip = leads_to_cluster_ip(spec, service);
    let (namespace, name) = (&service.namespace, &service.name);
    if by_cluster_ip && service.cluster_ips.is_empty() {
        return Err(not_possible(format!(
            "Service {namespace}/{name} is headless, so it has no cluster IP for addressing ServiceIP; write addressing: \
             PodIP, or remove addressing"
        )));
    }
    if !by_cluster_ip && service.selector.is_empty() {
        let instead = if service.cluster_ips.is_empty() {
            "add a selector to the Service, or set targetInstanceRef to the workload behind it"
        } else {
            "write addressing: ServiceIP, remove addressing, or add a selector to the Service"
        };
        return Err(not_possible(format!(
            "Service {namespace}/{name} has no selector, so the operator cannot find the pods behind it; {instead}"
        )));
    }
    Ok(if by_cluster_ip {
        Way::ClusterIps(service)
    } else {
        way_to_pods(spec)
    })
}

fn not_possible(message: String) -> Unservable {
    Unservable {
        reason: Reason::AddressingNotPossible,
        message,
    }
}

fn by_cluster_ips(spec: &InstanceLinkSpec, target: &Target, service: &Service) -> Result<Reach, Unservable> {
    let ports = match named(spec) {
        Some(named) => ports::of_spec(named, &spec.link_name)?,
        None => ports::of_cluster_ip(service, &spec.link_name)?,
    };
    let answers = service_answers(target, service, spec.publish_not_ready_addresses);
    let stands_for = EndpointTarget {
        kind: "Service".to_owned(),
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        uid: service.uid.clone(),
    };
    let endpoints = service
        .cluster_ips
        .iter()
        .filter(|a| is_usable(a))
        .map(|address| Endpoint {
            address: *address,
            hostname: spec.link_name.clone(),
            ready: answers,
            serving: answers,
            terminating: false,
            target: Some(stands_for.clone()),
            node: None,
            zone: None,
        });
    Ok(grouped(endpoints.map(|e| (ports.clone(), e)), ports.clone()))
}

/// Port by port, as many as the virtual IP has: a named target port that a pod does not declare is left out there.
fn by_pods_behind_virtual_ip(spec: &InstanceLinkSpec, target: &Target) -> Result<Reach, Unservable> {
    let declared = named(spec).unwrap_or_default();
    let ports = ports::of_spec(declared, &spec.link_name)?;
    let publish = publishes_not_ready(spec, target);
    let endpoints = pods_behind(target).flat_map(|candidate| {
        let own = pod_ports::behind_virtual_ip(declared, &ports, &candidate.pod);
        let usable = candidate.pod.addresses.iter().filter(|a| is_usable(a));
        usable.map(move |a| (own.clone(), endpoint(candidate, *a, &spec.link_name, publish)))
    });
    let Reach { groups, .. } = grouped(endpoints, Vec::new());
    Ok(Reach { groups, ports })
}

fn by_pods(spec: &InstanceLinkSpec, target: &Target) -> Result<Reach, Unservable> {
    let alias = &spec.link_name;
    let (ports, of_each) = match (named(spec), &target.object) {
        (Some(named), _) => (ports::of_spec(named, alias)?, None),
        (None, TargetObject::Workload(workload)) => (ports::of_containers(&workload.container_ports, alias)?, None),
        (None, TargetObject::Pod(pod)) => (ports::of_containers(&pod.container_ports, alias)?, None),
        (None, TargetObject::Service(service)) => (ports::of_pod_of(service, None, alias)?, Some(service)),
    };
    let publish = publishes_not_ready(spec, target);
    let mut endpoints = Vec::new();
    for candidate in pods_behind(target) {
        let own = match of_each {
            Some(service) => ports::of_pod_of(service, Some(&candidate.pod), alias)?,
            None => ports.clone(),
        };
        let usable = candidate.pod.addresses.iter().filter(|a| is_usable(a));
        endpoints.extend(usable.map(|a| (own.clone(), endpoint(candidate, *a, alias, publish))));
    }
    Ok(grouped(endpoints.into_iter(), ports))
}

fn publishes_not_ready(spec: &InstanceLinkSpec, target: &Target) -> bool {
    spec.publish_not_ready_addresses
        || matches!(&target.object, TargetObject::Service(service) if service.publish_not_ready_addresses)
}

const fn way_to_pods(spec: &InstanceLinkSpec) -> Way<'static> {
    match spec.addressing {
        Addressing::VirtualIP => Way::PodsBehindVirtualIp,
        Addressing::Auto | Addressing::PodIP | Addressing::ServiceIP => Way::Pods,
    }
}

/// The ports that the spec names; an empty list names none.
fn named(spec: &InstanceLinkSpec) -> Option<&[instancelink_api::LinkPort]> {
    spec.ports.as_deref().filter(|ports| !ports.is_empty())
}

fn endpoint(candidate: &Candidate, address: IpAddr, alias: &str, publish: bool) -> Endpoint {
    let Candidate { pod, zone, .. } = candidate;
    Endpoint {
        address,
        hostname: alias.to_owned(),
        ready: pod.ready || publish,
        serving: pod.ready,
        terminating: false,
        target: Some(EndpointTarget {
            kind: "Pod".to_owned(),
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            uid: pod.uid.clone(),
        }),
        node: pod.node.clone(),
        zone: zone.clone(),
    }
}

fn grouped(endpoints: impl Iterator<Item = (Vec<Port>, Endpoint)>, without_endpoints: Vec<Port>) -> Reach {
    let mut groups: BTreeMap<Vec<Port>, Vec<Endpoint>> = BTreeMap::new();
    for (ports, endpoint) in endpoints {
        groups.entry(ports).or_default().push(endpoint);
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|(ports, mut endpoints)| {
            endpoints.sort();
            Group { ports, endpoints }
        })
        .collect();
    let ports = groups.first().map_or(without_endpoints, |group| group.ports.clone());
    Reach { groups, ports }
}

#[cfg(test)]
mod tests;
