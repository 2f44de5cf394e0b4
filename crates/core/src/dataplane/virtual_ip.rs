//! Builds the virtual IP: a Service of one link. Its address stays when target, pods or state change (contract#virtual-ip).

use instancelink_api::{Addressing, State, keys};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::naming::{Names, labels};
use super::ownership::is_own;
use super::slices::port_name;
use crate::child::{ChildSpec, Endpoint, EndpointTarget, Observed, VirtualIp, VirtualPort};
use crate::resolve::endpoints::EndpointGroups;
use crate::resolve::pod_ports::declared_port;
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

/// True if the spec asks for a virtual IP.
pub(super) fn is_requested(s: &Snapshot) -> bool {
    s.link.object.spec.addressing == Addressing::VirtualIP
}

/// Builds the desired virtual IP. An assigned address is kept.
pub(super) fn desired(s: &Snapshot, names: &Names<'_>, groups: &EndpointGroups) -> Option<ChildSpec<VirtualIp>> {
    is_requested(s).then(|| ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.virtual_ip(),
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path())]),
        owners: names.link_owner(),
        body: VirtualIp {
            ports: groups.ports.iter().map(|port| virtual_port(s, names, port)).collect(),
            addresses: observed(s, names).map_or_else(Vec::new, |found| found.object.body.addresses.clone()),
            damaged: false,
        },
    })
}

/// The endpoints of the alias: the virtual IP's addresses, serving if a pod behind it is ready. The name does not depend on
/// pods (contract#fixed-names).
pub(super) fn endpoints(s: &Snapshot, names: &Names<'_>, groups: &EndpointGroups) -> Vec<Endpoint> {
    let Some(found) = observed(s, names) else {
        return Vec::new();
    };
    let serving = groups.groups.iter().flat_map(|g| &g.endpoints).any(|e| e.ready);
    let addresses = found.object.body.addresses.iter();
    let endpoint = |address: &std::net::IpAddr| Endpoint {
        address: *address,
        hostname: names.alias.to_owned(),
        ready: true,
        serving,
        terminating: false,
        target: Some(EndpointTarget {
            kind: "Service".to_owned(),
            namespace: found.object.namespace.clone(),
            name: found.object.name.clone(),
            uid: found.uid.clone(),
        }),
        node: None,
        zone: None,
    };
    addresses.map(endpoint).collect()
}

/// The observed virtual IP of this link.
pub(super) fn observed<'a>(s: &'a Snapshot, names: &Names<'_>) -> Option<&'a Observed<VirtualIp>> {
    let name = names.virtual_ip();
    own(s).find(|found| found.object.namespace == names.namespace && found.object.name == name && !found.terminating)
}

/// True if the virtual IP is kept when the link is taken down (contract#inactive-keeps-virtual-ip): until the link is removed,
/// or its spec asks for another addressing.
pub(super) fn is_kept(s: &Snapshot) -> bool {
    let is_removed = match s.link.object.state() {
        State::Removing | State::Removed | State::Purging | State::Purged => true,
        State::Requested
        | State::Registering
        | State::Activating
        | State::Active
        | State::UpdatingActive
        | State::Deactivating
        | State::Inactive
        | State::UpdatingInactive
        | State::Restoring => false,
    };
    is_requested(s) && !is_removed
}

/// The virtual IPs of this link.
pub(super) fn own(s: &Snapshot) -> impl Iterator<Item = &Observed<VirtualIp>> {
    s.children.virtual_ips.iter().filter(|found| is_own(s, found))
}

fn virtual_port(s: &Snapshot, names: &Names<'_>, port: &Port) -> VirtualPort {
    let declared = s.link.object.spec.ports.as_deref().unwrap_or_default();
    let target_port = declared_port(declared, port).and_then(|p| p.target_port.clone());
    VirtualPort {
        name: port_name(names.alias, port),
        port: port.port,
        protocol: port.protocol,
        target_port: target_port.unwrap_or(IntOrString::Int(i32::from(port.port))),
    }
}

#[cfg(test)]
mod tests;
