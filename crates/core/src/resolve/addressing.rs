//! Decides which addresses a link uses: those of the target's pods, or the cluster IPs of the target Service.

use std::sync::Arc;

use instancelink_api::{Addressing, InstanceLinkSpec};

use super::{Unservable, imports, not_possible};
use crate::snapshot::{Service, ServiceSlice, Target, TargetObject};

/// The addresses that become the alias' endpoints.
#[derive(Clone, Copy, Debug)]
pub(super) enum Addresses<'a> {
    /// Those of the target's pods.
    Pods,
    /// The same, on the target ports of the virtual IP.
    PodsBehindVirtualIp,
    /// The cluster IPs of the target Service.
    ClusterIps(&'a Service),
    /// Those in the slices that others write for the target Service.
    Slices(&'a Service, &'a [Arc<ServiceSlice>]),
    /// The same, on the target ports of the virtual IP.
    SlicesBehindVirtualIp(&'a Service, &'a [Arc<ServiceSlice>]),
}

/// Decides from the spec and the target which addresses are used.
///
/// # Errors
/// If the target does not have the addresses that the spec asks for.
pub(super) fn addresses_of<'a>(target: &'a Target, spec: &InstanceLinkSpec) -> Result<Addresses<'a>, Unservable> {
    let service = match &target.object {
        TargetObject::Workload(_) | TargetObject::Pod(_) if spec.addressing == Addressing::ServiceIP => {
            return Err(not_possible(format!(
                "addressing ServiceIP needs a target of kind Service, but the target is a {}; write addressing: PodIP, or \
                 remove addressing",
                target.object.kind()
            )));
        }
        TargetObject::Workload(_) | TargetObject::Pod(_) => return Ok(pod_addresses(spec)),
        TargetObject::Service(service) => service,
    };
    if let Some(import) = &service.import {
        imports::check(spec, service, import)?;
        return Ok(Addresses::ClusterIps(service));
    }
    let by_cluster_ips = uses_cluster_ips(spec, service);
    let (namespace, name) = (&service.namespace, &service.name);
    if by_cluster_ips && service.cluster_ips.is_empty() {
        let what = if service.external_name.is_some() {
            "of type ExternalName"
        } else {
            "headless"
        };
        return Err(not_possible(format!(
            "Service {namespace}/{name} is {what}, so it has no cluster IP for addressing ServiceIP; write addressing: PodIP, or \
             remove addressing"
        )));
    }
    if !by_cluster_ips && let Some(slices) = &target.slices {
        return Ok(match spec.addressing {
            Addressing::VirtualIP => Addresses::SlicesBehindVirtualIp(service, slices),
            Addressing::Auto | Addressing::PodIP | Addressing::ServiceIP => Addresses::Slices(service, slices),
        });
    }
    if !by_cluster_ips && service.selector.is_empty() {
        let instead = if service.cluster_ips.is_empty() {
            "set targetInstanceRef to the target of that link"
        } else {
            "write addressing: ServiceIP, or remove addressing"
        };
        return Err(not_possible(format!(
            "Service {namespace}/{name} belongs to a link, and the operator does not follow its own EndpointSlices; {instead}"
        )));
    }
    Ok(if by_cluster_ips {
        Addresses::ClusterIps(service)
    } else {
        pod_addresses(spec)
    })
}

/// True if the link uses the Service's cluster IPs and not the addresses of its pods.
pub(super) fn uses_cluster_ips(spec: &InstanceLinkSpec, service: &Service) -> bool {
    match spec.addressing {
        Addressing::ServiceIP => true,
        Addressing::Auto => !service.cluster_ips.is_empty(),
        Addressing::PodIP | Addressing::VirtualIP => false,
    }
}

const fn pod_addresses(spec: &InstanceLinkSpec) -> Addresses<'static> {
    match spec.addressing {
        Addressing::VirtualIP => Addresses::PodsBehindVirtualIp,
        Addressing::Auto | Addressing::PodIP | Addressing::ServiceIP => Addresses::Pods,
    }
}

/// The ports in the spec; none if the list is empty.
pub(super) fn ports_in_spec(spec: &InstanceLinkSpec) -> Option<&[instancelink_api::LinkPort]> {
    spec.ports.as_deref().filter(|ports| !ports.is_empty())
}
