//! The endpoints of a link's alias, grouped by the ports that they listen on (contract#endpoints-of-workloads,
//! contract#endpoints-of-services).

use std::collections::BTreeMap;
use std::net::IpAddr;

use instancelink_api::condition::Reason;
use instancelink_api::{Addressing, InstanceLinkSpec};

use super::addressing::{Addresses, addresses_of, ports_in_spec};
use super::budget::{Budget, TooCostly};
use super::kept_pods;
use super::pod_ports;
use super::pods::{is_alive, is_usable, pods_behind, running_pods, spend};
use super::ports::{self, Port};
use super::service_slices;
use super::{TargetVerdict, Unservable, not_possible, target_of};
use crate::child::{Endpoint, EndpointTarget};
use crate::snapshot::{Candidate, Pod, Service, Snapshot, Target, TargetObject};

/// Most sets of ports among the pods of a target. Each needs slices of its own.
const MOST_GROUPS: usize = 100;

/// The endpoints of an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointGroups {
    /// The groups, sorted by ports and never empty. Usually there is one.
    pub groups: Vec<Group>,
    /// The link's ports, as in its environment. If pods differ, those of the first group.
    pub ports: Vec<Port>,
}

/// Endpoints that listen on the same ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The ports.
    pub ports: Vec<Port>,
    /// The endpoints, sorted.
    pub endpoints: Vec<Endpoint>,
}

/// Determines the endpoints of the alias. There are none if the link has no target, or if its namespace does not consent; if
/// the target is missing, those that serve without it stay. That is not an error.
///
/// # Errors
/// If the spec cannot be served with the target as it is.
pub fn endpoint_groups(s: &Snapshot) -> Result<EndpointGroups, Unservable> {
    let spec = &s.link.object.spec;
    if spec.addressing == Addressing::VirtualIP && ports_in_spec(spec).is_none() {
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
        TargetVerdict::Missing { .. } => without_target(s),
        TargetVerdict::NoTarget | TargetVerdict::NotPermitted { .. } | TargetVerdict::Unusable { .. } => {
            Ok(EndpointGroups {
                groups: Vec::new(),
                ports: ports::of_spec(spec.ports.as_deref().unwrap_or_default(), &spec.link_name)?,
            })
        }
        TargetVerdict::Observed(target) => match addresses_within_budget(target, spec)? {
            Addresses::ClusterIps(service) => by_cluster_ips(spec, target, service),
            Addresses::Pods => by_pods(spec, target),
            Addresses::PodsBehindVirtualIp => by_pods_behind_virtual_ip(spec, target),
            Addresses::Slices(service, slices) => {
                let found = service_slices::endpoints(spec, service, slices, None)?;
                grouped(found.endpoints.into_iter(), found.ports)
            }
            Addresses::SlicesBehindVirtualIp(service, slices) => {
                let found = service_slices::endpoints(spec, service, slices, ports_in_spec(spec))?;
                let EndpointGroups { groups, .. } = grouped(found.endpoints.into_iter(), Vec::new())?;
                let ports = found.ports;
                Ok(EndpointGroups { groups, ports })
            }
        },
    }
}

fn addresses_within_budget<'a>(target: &'a Target, spec: &InstanceLinkSpec) -> Result<Addresses<'a>, Unservable> {
    spend(&mut Budget::whole(), target).map_err(|TooCostly| too_costly(target))?;
    addresses_of(target, spec)
}

fn too_costly(target: &Target) -> Unservable {
    Unservable {
        reason: Reason::TooCostly,
        message: format!(
            "the pods of {} {}/{} have so many labels, and its selector asks for so many, that the operator does not compare them, \
             because the links of others would wait; select the pods with fewer labels, or set targetInstanceRef to a smaller \
             target",
            target.object.kind(),
            target.object.namespace(),
            target.object.name(),
        ),
    }
}

/// True if a Service counts as answering: its selector finds a pod that counts, or, without a selector, others write a ready
/// address into its slices. A Service of the operator without a selector counts.
pub fn service_answers(target: &Target, service: &Service, publish: bool) -> bool {
    let publish = publish || service.publish_not_ready_addresses;
    if service.selector.is_empty() {
        let counts = |slices: &Vec<_>| service_slices::addresses(slices).any(|found| found.ready || publish);
        return target.slices.as_ref().is_none_or(counts);
    }
    pods_behind(target).any(|candidate| candidate.pod.ready || publish)
}

fn by_cluster_ips(spec: &InstanceLinkSpec, target: &Target, service: &Service) -> Result<EndpointGroups, Unservable> {
    let ports = match ports_in_spec(spec) {
        Some(listed) => ports::of_spec(listed, &spec.link_name)?,
        None => ports::of_cluster_ip(service, &spec.link_name)?,
    };
    let answers = service_answers(target, service, spec.publish_not_ready_addresses);
    let target_ref = service_slices::reference_to(service);
    let endpoints = service
        .cluster_ips
        .iter()
        .filter(|a| is_usable(a))
        .map(|address| Endpoint {
            address: *address,
            hostname: spec.link_name.clone(),
            // The name does not depend on pods: contract#fixed-names.
            ready: true,
            serving: answers,
            terminating: false,
            target: Some(target_ref.clone()),
            node: None,
            zone: None,
        });
    grouped(endpoints.map(|e| (ports.clone(), e)), ports.clone())
}

/// The pods behind a virtual IP. A port is left out for a pod that does not declare its named target port.
fn by_pods_behind_virtual_ip(spec: &InstanceLinkSpec, target: &Target) -> Result<EndpointGroups, Unservable> {
    let declared = ports_in_spec(spec).unwrap_or_default();
    let ports = ports::of_spec(declared, &spec.link_name)?;
    let publish = publishes_not_ready(spec, target);
    let pods = running_pods(target).filter(|candidate| counts(spec, &candidate.pod));
    let endpoints = pods.flat_map(|candidate| {
        let own = pod_ports::behind_virtual_ip(declared, &ports, &candidate.pod.container_ports);
        addresses(candidate, &spec.link_name, publish).map(move |endpoint| (own.clone(), endpoint))
    });
    let EndpointGroups { groups, .. } = grouped(endpoints, Vec::new())?;
    Ok(EndpointGroups { groups, ports })
}

fn by_pods(spec: &InstanceLinkSpec, target: &Target) -> Result<EndpointGroups, Unservable> {
    let alias = &spec.link_name;
    let (ports, per_pod) = match (ports_in_spec(spec), &target.object) {
        (Some(listed), _) => (ports::of_spec(listed, alias)?, None),
        (None, TargetObject::Workload(workload)) => (ports::of_containers(&workload.container_ports, alias)?, None),
        (None, TargetObject::Pod(pod)) => (ports::of_containers(&pod.container_ports, alias)?, None),
        (None, TargetObject::Service(service)) => (ports::of_service_pod(service, None, alias)?, Some(service)),
    };
    let publish = publishes_not_ready(spec, target);
    let mut endpoints = Vec::new();
    for candidate in pods_behind(target) {
        let own = match per_pod {
            Some(service) => ports::of_service_pod(service, Some(&candidate.pod), alias)?,
            None => ports.clone(),
        };
        endpoints.extend(addresses(candidate, alias, publish).map(|endpoint| (own.clone(), endpoint)));
    }
    grouped(endpoints.into_iter(), ports)
}

/// The endpoints of a target that is missing. None joins: each pod has been an endpoint of the link.
///
/// # Errors
/// If the spec has invalid ports.
fn without_target(s: &Snapshot) -> Result<EndpointGroups, Unservable> {
    let spec = &s.link.object.spec;
    let listed = ports::of_spec(spec.ports.as_deref().unwrap_or_default(), &spec.link_name)?;
    let ports_of = |pod: &Pod| match ports_in_spec(spec) {
        Some(declared) if spec.addressing == Addressing::VirtualIP => {
            pod_ports::behind_virtual_ip(declared, &listed, &pod.container_ports)
        }
        Some(_) => listed.clone(),
        None => kept_pods::written_ports(s, pod),
    };
    let publish = spec.publish_not_ready_addresses;
    let pods = kept_pods::running_without_target(s).filter(|_| spec.addressing != Addressing::ServiceIP);
    let pods = pods.filter(|candidate| counts(spec, &candidate.pod) && (candidate.pod.ready || publish));
    let endpoints = pods.flat_map(|candidate| {
        let own = ports_of(&candidate.pod);
        addresses(candidate, &spec.link_name, publish).map(move |endpoint| (own.clone(), endpoint))
    });
    let mut groups = grouped(endpoints, listed.clone())?;
    if !listed.is_empty() {
        groups.ports = listed;
    }
    Ok(groups)
}

/// True for a pod that is an endpoint, ready or not. A terminating one is behind a virtual IP while it serves: kube-proxy uses it
/// while no pod is ready, as for other Services (contract#terminating-pods).
fn counts(spec: &InstanceLinkSpec, pod: &Pod) -> bool {
    let still_serves = spec.addressing == Addressing::VirtualIP && pod.ready && !pod.finished;
    is_alive(pod) || still_serves
}

fn publishes_not_ready(spec: &InstanceLinkSpec, target: &Target) -> bool {
    spec.publish_not_ready_addresses
        || matches!(&target.object, TargetObject::Service(service) if service.publish_not_ready_addresses)
}

/// The usable addresses of a pod, as endpoints.
fn addresses<'a>(candidate: &'a Candidate, alias: &'a str, publish: bool) -> impl Iterator<Item = Endpoint> + use<'a> {
    let usable = candidate.pod.addresses.iter().filter(|a| is_usable(a));
    usable.map(move |address| endpoint(candidate, *address, alias, publish))
}

fn endpoint(candidate: &Candidate, address: IpAddr, alias: &str, publish: bool) -> Endpoint {
    let Candidate { pod, zone, .. } = candidate;
    Endpoint {
        address,
        hostname: alias.to_owned(),
        ready: !pod.terminating && (pod.ready || publish),
        serving: pod.ready,
        terminating: pod.terminating,
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

/// The endpoints by their ports.
///
/// # Errors
/// If the pods have more different sets of ports than a link may have.
fn grouped(
    endpoints: impl Iterator<Item = (Vec<Port>, Endpoint)>,
    without_endpoints: Vec<Port>,
) -> Result<EndpointGroups, Unservable> {
    let mut groups: BTreeMap<Vec<Port>, Vec<Endpoint>> = BTreeMap::new();
    for (ports, endpoint) in endpoints {
        groups.entry(ports).or_default().push(endpoint);
    }
    if groups.len() > MOST_GROUPS {
        return Err(Unservable {
            reason: Reason::InvalidPorts,
            message: format!(
                "the pods of the target give the named ports {} different sets of numbers, but a link can have at most \
                 {MOST_GROUPS}; write the ports of the target as numbers",
                groups.len()
            ),
        });
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|(ports, mut endpoints)| {
            endpoints.sort();
            Group { ports, endpoints }
        })
        .collect();
    let ports = groups.first().map_or(without_endpoints, |group| group.ports.clone());
    Ok(EndpointGroups { groups, ports })
}

#[cfg(test)]
mod tests;
