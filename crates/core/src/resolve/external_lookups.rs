//! The external names that a link leads to: which to look up, and their addresses as slices of the Service
//! (contract#external-names).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::grant::Permission;

use super::consent::is_permitted;
use super::external_names::is_allowed;
use super::{TargetVerdict, target_of};
use crate::external_name::{ExternalName, ExternalNames};
use crate::snapshot::{Service, ServiceSlice, SliceAddress, Snapshot, TargetObject};

/// The target, if it is a Service with an external name that the link may lead to.
fn external_target(s: &Snapshot) -> Option<&Arc<Service>> {
    match target_of(s) {
        TargetVerdict::Observed(target) => match &target.object {
            TargetObject::Service(service) if service.external_name.is_some() => Some(service),
            TargetObject::Service(_) | TargetObject::Workload(_) | TargetObject::Pod(_) => None,
        },
        TargetVerdict::NoTarget
        | TargetVerdict::NotPermitted { .. }
        | TargetVerdict::NotSupported { .. }
        | TargetVerdict::Missing { .. }
        | TargetVerdict::Unusable { .. } => None,
    }
}

/// The names to look up, each with the addresses that the link's slices have of it now: that of the target, and those of the
/// Services that the slices lead to. An edit that cannot be served leaves these in place.
pub fn wanted(s: &Snapshot) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let others = s.answering.services.iter().filter(|service| is_consented(s, service));
    let services = external_target(s).into_iter().chain(others);
    let allowed = services.filter_map(|service| {
        let name = service.external_name.as_ref()?;
        is_allowed(s, name).then(|| (name.clone(), programmed(s, service)))
    });
    let mut wanted: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    for (name, addresses) in allowed {
        wanted.entry(name).or_default().extend(addresses);
    }
    wanted
}

/// True in the link's own namespace, and in that of a target, former or present, that consents.
fn is_consented(s: &Snapshot, service: &Service) -> bool {
    let link = &s.link.object;
    let former = link.status.as_ref().and_then(|status| status.target.as_ref());
    let mut targets = link.spec.target_instance_ref.iter().chain(former);
    link.metadata.namespace.as_ref() == Some(&service.namespace)
        || targets
            .any(|t| t.namespace.as_ref() == Some(&service.namespace) && is_permitted(s, t, Permission::Endpoints))
}

fn programmed(s: &Snapshot, service: &Service) -> BTreeSet<IpAddr> {
    let endpoints = s.children.slices.iter().flat_map(|slice| &slice.object.body.endpoints);
    let of_service = endpoints.filter(|e| e.target.as_ref().is_some_and(|target| target.uid == service.uid));
    of_service.map(|endpoint| endpoint.address).collect()
}

/// Takes what is known of the names into the snapshot: the addresses count like those that others write for a Service.
pub fn take(s: &mut Snapshot, names: ExternalNames) {
    s.external_names = names;
    let of_target = external_target(s).and_then(|service| slice_of(s, service));
    let of_others: Vec<_> = s
        .answering
        .services
        .iter()
        .filter_map(|service| slice_of(s, service))
        .collect();
    s.answering.slices.extend(of_others);
    if let (Some(slice), Some(target)) = (of_target, s.target.as_mut()) {
        target.slices = Some(vec![slice]);
    }
}

fn slice_of(s: &Snapshot, service: &Service) -> Option<Arc<ServiceSlice>> {
    let name = service.external_name.as_deref()?;
    let ExternalName::Known { addresses, .. } = s.external_names.known.get(name)? else {
        return None;
    };
    let addresses = addresses.iter().map(|address| SliceAddress {
        address: *address,
        ready: true,
        serving: true,
        terminating: false,
    });
    Some(Arc::new(ServiceSlice {
        namespace: service.namespace.clone(),
        service: service.name.clone(),
        addresses: addresses.collect(),
        ports: Vec::new(),
    }))
}

/// True while the first answer for the name of the target is awaited. A link that is being deleted does not need it.
pub(crate) fn awaits_answer(s: &Snapshot) -> bool {
    let name = external_target(s).and_then(|service| service.external_name.as_deref());
    let is_pending = |name| matches!(s.external_names.known.get(name), None | Some(ExternalName::Pending));
    s.link.object.metadata.deletion_timestamp.is_none() && name.is_some_and(is_pending)
}

#[cfg(test)]
mod tests;
