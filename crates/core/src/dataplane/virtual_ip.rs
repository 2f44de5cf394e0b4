//! Builds the virtual IP: a Service of the link's own, whose address outlives retargets, pods and deactivation.

use instancelink_api::{Addressing, State, keys};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::naming::{Names, labels};
use super::ownership::is_own;
use super::slices::port_name;
use crate::child::{ChildSpec, Endpoint, EndpointTarget, Observed, VirtualIp, VirtualPort};
use crate::resolve::endpoints::Reach;
use crate::resolve::pod_ports::declared_port;
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

/// True where the spec asks for a virtual IP.
pub(super) fn is_asked_for(s: &Snapshot) -> bool {
    s.link.object.spec.addressing == Addressing::VirtualIP
}

/// The virtual IP as it shall be: the address, once given, is kept.
pub(super) fn wanted(s: &Snapshot, names: &Names<'_>, reach: &Reach) -> Option<ChildSpec<VirtualIp>> {
    is_asked_for(s).then(|| ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.virtual_ip(),
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path())]),
        owners: names.link_owner(),
        body: VirtualIp {
            ports: reach.ports.iter().map(|port| virtual_port(s, names, port)).collect(),
            addresses: standing(s, names).map_or_else(Vec::new, |found| found.object.body.addresses.clone()),
            damaged: false,
        },
    })
}

/// What stands under the alias: the virtual IP's addresses, ready when a pod behind it is.
pub(super) fn endpoints(s: &Snapshot, names: &Names<'_>, reach: &Reach) -> Vec<Endpoint> {
    let Some(found) = standing(s, names) else {
        return Vec::new();
    };
    let ready = reach.groups.iter().flat_map(|g| &g.endpoints).any(|e| e.ready);
    let addresses = found.object.body.addresses.iter();
    let endpoint = |address: &std::net::IpAddr| Endpoint {
        address: *address,
        hostname: names.alias.to_owned(),
        ready,
        serving: ready,
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

/// The virtual IP that stands, if it is this link's.
pub(super) fn standing<'a>(s: &'a Snapshot, names: &Names<'_>) -> Option<&'a Observed<VirtualIp>> {
    let name = names.virtual_ip();
    own(s).find(|found| found.object.namespace == names.namespace && found.object.name == name && !found.terminating)
}

/// True where the virtual IP outlives the link's being cut: until it is removed, or the spec asks for another addressing.
pub(super) fn stays(s: &Snapshot) -> bool {
    let goes = match s.link.object.state() {
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
    is_asked_for(s) && !goes
}

/// All that are this link's.
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
