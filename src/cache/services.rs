//! Services, in two views: as targets, and those that are children of ours, or have a child's name.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_api::spec::Protocol;
use instancelink_core::child::{Directory, Observed, ObservedChild};
use instancelink_core::snapshot::{Service, ServicePort};
use k8s_openapi::api::core::v1 as core;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::ObjectName;
use super::shared::{self, Mention};
use super::table::{Change, Item, Table};
use super::wire::Wire;

/// A Service in both views.
#[derive(Clone, Debug)]
pub(crate) struct CachedService {
    pub(crate) service: Arc<Service>,
    /// A directory, a virtual IP, or a stranger's on the name of one.
    pub(crate) child: Option<ObservedChild>,
}

/// All Services.
#[derive(Debug, Default)]
pub(crate) struct ServiceStore {
    pub(crate) table: Table<CachedService>,
    /// Children by what they speak of: names of instances and links, and UIDs.
    pub(crate) children: Groups<Mention>,
}

impl CachedService {
    /// The directory it is, or a stranger's on the name of one.
    pub(crate) fn directory(&self) -> Option<&Observed<Directory>> {
        match &self.child {
            Some(ObservedChild::Directory(found)) => Some(found),
            _ => None,
        }
    }
}

impl ServiceStore {
    /// The child of this name.
    pub(crate) fn child(&self, name: &ObjectName) -> Option<&ObservedChild> {
        self.table.get(name)?.child.as_ref()
    }
}

impl Item for CachedService {
    fn uid(&self) -> &str {
        &self.service.uid
    }

    fn resource_version(&self) -> &str {
        &self.service.resource_version
    }
}

/// The watch of Services.
pub(crate) struct Services;

impl Watched for Services {
    type Raw = Wire<core::Service>;
    type Item = CachedService;
    const KIND: &'static str = "Service";

    fn reduce(raw: Wire<core::Service>) -> CachedService {
        let raw = raw.object;
        CachedService {
            service: Arc::new(target_of(&raw)),
            child: child_of(raw),
        }
    }

    fn table(index: &mut Index) -> &mut Table<CachedService> {
        &mut index.services.table
    }

    fn changed(index: &mut Index, change: &Change<CachedService>, who: Who, affected: &mut Affected) {
        let child = |c: &Option<Arc<CachedService>>| c.as_ref().and_then(|s| s.child.clone());
        let (old, new) = (child(&change.old), child(&change.new));
        match &new {
            Some(ObservedChild::Directory(found)) => shared::note_stray(&index.links, Some(found), who, affected),
            Some(ObservedChild::VirtualIp(found)) => shared::note_stray(&index.links, Some(found), who, affected),
            _ => {}
        }
        let mentions = |c: &Option<ObservedChild>| c.as_ref().map(mentions_of).unwrap_or_default();
        let (before, after) = (mentions(&old), mentions(&new));
        index.services.children.update(&change.name, &before, &after);
        if who == Who::Others && is_another(old.as_ref(), new.as_ref()) {
            shared::extend(&index.links, before.iter().chain(&after), affected);
        }
        if change.old.is_some() != change.new.is_some() {
            affected.extend(index.links.shadowed_by(&change.name), Cause::Change);
        }
        let (namespace, name) = (&change.name.namespace, &change.name.name);
        if differs(change.old.as_deref(), change.new.as_deref()) {
            affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Endpoints);
        }
    }
}

/// Whose child a Service is, its labels tell, or, those lost or a stranger's, its owner or its name.
fn child_of(raw: core::Service) -> Option<ObservedChild> {
    let label = |key: &str| raw.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let is_ours = label(keys::MANAGED_BY).is_some_and(|manager| manager == keys::MANAGER);
    let mut owners = raw.metadata.owner_references.iter().flatten();
    let is_links = label(keys::LINK_UID).is_some() || owners.any(|owner| owner.kind == keys::KIND);
    let name = raw.metadata.name.as_deref().unwrap_or_default();
    if shared::link_of(name).is_some() || is_links {
        Some(ObservedChild::VirtualIp(Observed::from(raw)))
    } else if shared::instance_of(name).is_some() || is_ours {
        Some(ObservedChild::Directory(Observed::from(raw)))
    } else {
        None
    }
}

fn mentions_of(child: &ObservedChild) -> Vec<Mention> {
    match child {
        ObservedChild::Directory(found) => shared::mentions(found),
        ObservedChild::VirtualIp(found) => shared::mentions_of_own(found),
        // No Service is of another kind.
        _ => Vec::new(),
    }
}

/// True where more than the resourceVersion changed.
fn is_another(old: Option<&ObservedChild>, new: Option<&ObservedChild>) -> bool {
    match (old, new) {
        (Some(ObservedChild::Directory(old)), Some(ObservedChild::Directory(new))) => {
            shared::differs(Some(old), Some(new))
        }
        (Some(ObservedChild::VirtualIp(old)), Some(ObservedChild::VirtualIp(new))) => {
            shared::differs(Some(old), Some(new))
        }
        (old, new) => old != new,
    }
}

fn target_of(raw: &core::Service) -> Service {
    let meta = &raw.metadata;
    let spec = raw.spec.clone().unwrap_or_default();
    let single = spec.cluster_ip.into_iter();
    let listed = spec.cluster_ips.unwrap_or_default().into_iter();
    let mut cluster_ips: Vec<std::net::IpAddr> = Vec::new();
    for address in single.chain(listed).filter_map(|ip| ip.parse().ok()) {
        if !cluster_ips.contains(&address) {
            cluster_ips.push(address);
        }
    }
    let ports = spec.ports.unwrap_or_default().into_iter().filter_map(|port| {
        Some(ServicePort {
            name: port.name.unwrap_or_default(),
            port: u16::try_from(port.port).ok()?,
            target_port: port.target_port,
            protocol: Protocol::of(port.protocol.as_deref()),
        })
    });
    Service {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
        terminating: meta.deletion_timestamp.is_some(),
        external_name: spec.type_.as_deref() == Some("ExternalName"),
        cluster_ips,
        selector: spec.selector.unwrap_or_default(),
        ports: ports.collect(),
        publish_not_ready_addresses: spec.publish_not_ready_addresses.unwrap_or_default(),
    }
}

fn differs(old: Option<&CachedService>, new: Option<&CachedService>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let unversioned = Service {
                resource_version: new.service.resource_version.clone(),
                ..(*old.service).clone()
            };
            unversioned != *new.service
        }
        _ => true,
    }
}
