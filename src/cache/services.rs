//! Services, in two views: as targets, and those that are directories or have a directory's name.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::{Directory, Found};
use instancelink_core::snapshot::{Service, ServicePort};
use k8s_openapi::api::core::v1 as core;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::lean::protocol_of;
use super::name::ObjectName;
use super::shared::{self, Mention};
use super::table::{Change, Item, Table};

/// A Service in both views.
#[derive(Clone, Debug)]
pub(crate) struct CachedService {
    pub(crate) service: Arc<Service>,
    pub(crate) directory: Option<Found<Directory>>,
}

/// All Services.
#[derive(Debug, Default)]
pub(crate) struct ServiceStore {
    pub(crate) table: Table<CachedService>,
    /// Directories by what they speak of: instance names and UIDs.
    pub(crate) directories: Groups<Mention>,
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
    type Raw = core::Service;
    type Item = CachedService;
    const KIND: &'static str = "Service";

    fn reduce(raw: core::Service) -> CachedService {
        let service = Arc::new(target_of(&raw));
        let ours = raw
            .metadata
            .labels
            .as_ref()
            .and_then(|l| l.get(keys::MANAGED_BY))
            .map(String::as_str)
            == Some(keys::MANAGER);
        let is_directory = ours || shared::instance_of(&service.name).is_some();
        CachedService {
            service,
            directory: is_directory.then(|| Found::from(raw)),
        }
    }

    fn table(index: &mut Index) -> &mut Table<CachedService> {
        &mut index.services.table
    }

    fn changed(index: &mut Index, change: &Change<CachedService>, who: Who, affected: &mut Affected) {
        let directory = |c: &Option<Arc<CachedService>>| c.as_ref().and_then(|s| s.directory.clone());
        let (old, new) = (directory(&change.old), directory(&change.new));
        let mentions = |d: &Option<Found<Directory>>| d.as_ref().map(shared::mentions).unwrap_or_default();
        let (before, after) = (mentions(&old), mentions(&new));
        index.services.directories.update(&change.name, &before, &after);
        if who == Who::Others && shared::differs(old.as_ref(), new.as_ref()) {
            shared::extend(&index.links, before.iter().chain(&after), affected);
        }
        let ObjectName { namespace, name } = &change.name;
        if differs(change.old.as_deref(), change.new.as_deref()) {
            affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Endpoints);
        }
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
            protocol: protocol_of(port.protocol.as_deref()),
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
