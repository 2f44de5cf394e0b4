//! The endpoints of a Service without a selector: the addresses in the slices that others write for it
//! (contract#endpoints-of-others).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::condition::Reason;
use instancelink_api::{InstanceLinkSpec, LinkPort, keys};

use super::addressing::ports_in_spec;
use super::pod_ports::behind_virtual_ip;
use super::pods::is_usable;
use super::ports::{self, Port};
use super::{Unservable, imports};
use crate::child::{Endpoint, EndpointTarget};
use crate::snapshot::{Service, ServiceSlice, SliceAddress, Target, TargetObject};

/// Most slices, and most addresses in them, that a link follows.
pub const MOST_SLICES: usize = 100;
/// The same for addresses. A slice has 1000 at most.
pub const MOST_ADDRESSES: usize = 1000;

/// What the slices of a Service give to a link.
pub(super) struct Found {
    /// The ports of the alias if no address decides.
    pub(super) ports: Vec<Port>,
    /// The addresses, each with its own ports.
    pub(super) endpoints: Vec<(Vec<Port>, Endpoint)>,
}

/// The conditions of an address, together of all slices that have it.
#[derive(Default)]
struct Conditions {
    /// It is not terminating.
    alive: bool,
    ready: bool,
    serving: bool,
}

/// The addresses that can be endpoints: usable ones that are not terminating.
pub fn addresses(slices: &[Arc<ServiceSlice>]) -> impl Iterator<Item = &SliceAddress> {
    slices.iter().flat_map(|slice| of_slice(slice))
}

fn of_slice(slice: &ServiceSlice) -> impl Iterator<Item = &SliceAddress> {
    let all = slice.addresses.iter();
    all.filter(|found| !found.terminating && is_usable(&found.address))
}

/// The terminating addresses that can be behind a virtual IP (contract#terminating-pods).
fn still_serving(slice: &ServiceSlice) -> impl Iterator<Item = &SliceAddress> {
    let all = slice.addresses.iter();
    all.filter(|found| found.terminating && found.serving && is_usable(&found.address))
}

/// The endpoints of an alias that resolves to the addresses in these slices. `declared` are the ports of a virtual IP, if the
/// addresses are behind one.
///
/// # Errors
/// If the ports cannot be served, or there are too many slices or addresses.
pub(super) fn endpoints(
    spec: &InstanceLinkSpec,
    service: &Service,
    slices: &[Arc<ServiceSlice>],
    declared: Option<&[LinkPort]>,
) -> Result<Found, Unservable> {
    let leaving = slices
        .iter()
        .filter(|_| declared.is_some())
        .flat_map(|slice| still_serving(slice));
    if slices.len() > MOST_SLICES || addresses(slices).chain(leaving).count() > MOST_ADDRESSES {
        return Err(too_many(service));
    }
    let alias = &spec.link_name;
    let listed = ports_in_spec(spec)
        .map(|listed| ports::of_spec(listed, alias))
        .transpose()?;
    let mut found: BTreeMap<(Vec<Port>, IpAddr), Conditions> = BTreeMap::new();
    for slice in slices {
        let own = match (declared, &listed) {
            (Some(declared), Some(listed)) => behind_virtual_ip(declared, listed, &slice.ports),
            (_, Some(listed)) => listed.clone(),
            (_, None) => ports::of_slice(service, &slice.ports, alias)?,
        };
        for address in of_slice(slice) {
            let conditions = found.entry((own.clone(), address.address)).or_default();
            conditions.alive = true;
            conditions.ready |= address.ready;
            conditions.serving |= address.serving;
        }
        for address in still_serving(slice).filter(|_| declared.is_some()) {
            found.entry((own.clone(), address.address)).or_default().serving = true;
        }
    }
    let publish = spec.publish_not_ready_addresses || service.publish_not_ready_addresses;
    let endpoints = found.into_iter().map(|((ports, address), conditions)| {
        let endpoint = Endpoint {
            address,
            hostname: alias.clone(),
            ready: conditions.ready || (publish && conditions.alive),
            serving: conditions.serving || publish,
            terminating: !conditions.alive,
            target: Some(reference_to(service)),
            node: None,
            zone: None,
        };
        (ports, endpoint)
    });
    Ok(Found {
        endpoints: endpoints.collect(),
        ports: match listed {
            Some(listed) => listed,
            None => ports::of_service_pod(service, None, alias)?,
        },
    })
}

/// The Service, as what an endpoint stands for.
pub(super) fn reference_to(service: &Service) -> EndpointTarget {
    EndpointTarget {
        kind: service
            .import
            .as_ref()
            .map_or("Service", |import| &import.kind.kind)
            .to_owned(),
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        uid: service.uid.clone(),
    }
}

fn too_many(service: &Service) -> Unservable {
    Unservable {
        reason: Reason::TooCostly,
        message: format!(
            "Service {}/{} has more than {MOST_SLICES} EndpointSlices or {MOST_ADDRESSES} addresses in them, and the operator \
             follows no more, because the links of others would wait; write fewer, or set targetInstanceRef to a smaller Service",
            service.namespace, service.name
        ),
    }
}

/// Why an import or a Service without a selector has no ready address, and what to do; none for other targets.
pub fn why_unavailable(target: &Target) -> Option<String> {
    let TargetObject::Service(service) = &target.object else {
        return None;
    };
    if service.import.is_some() {
        return Some(imports::why_unavailable(service));
    }
    let slices = target.slices.as_ref()?;
    let (namespace, name, label) = (&service.namespace, &service.name, keys::SERVICE_NAME);
    Some(if slices.is_empty() {
        format!(
            "Service {namespace}/{name} has no selector, and no EndpointSlice of others has its addresses; create an \
             EndpointSlice in namespace {namespace} with the label {label}: {name}, or add a selector to the Service"
        )
    } else {
        format!(
            "no address in the EndpointSlices of Service {namespace}/{name} is ready and usable; see kubectl -n {namespace} get \
             endpointslices -l {label}={name}"
        )
    })
}

#[cfg(test)]
mod tests;
