//! Services, in two views: as targets, and as children. The second view includes a foreign Service with the name of a
//! child, and no Service with another name.

use std::sync::Arc;

use instancelink_api::spec::Protocol;
use instancelink_core::child::names::{is_directory, link_in};
use instancelink_core::child::{Directory, Kind, Observed, ObservedChild};
use instancelink_core::external_name::normalized;
use instancelink_core::snapshot::{Service, ServicePort};
use k8s_openapi::api::core::v1 as core;

use super::mentions::{Mention, mentions, mentions_of_own};
use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// A Service in both views.
#[derive(Clone, Debug)]
pub struct CachedService {
    /// The Service as a target.
    pub service: Arc<Service>,
    /// A directory, a virtual IP, or a foreign Service on the name of one.
    pub child: Option<ObservedChild>,
}

impl CachedService {
    pub(crate) fn of(raw: core::Service) -> Self {
        Self {
            service: Arc::new(target_of(&raw)),
            child: child_of(raw),
        }
    }

    /// The directory it is, or the foreign Service on the name of one.
    pub(crate) fn directory(&self) -> Option<&Observed<Directory>> {
        match &self.child {
            Some(ObservedChild::Directory(found)) => Some(found),
            _ => None,
        }
    }

    /// What leads to the links of the child that it is.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        match &self.child {
            Some(ObservedChild::Directory(found)) => mentions(found),
            Some(ObservedChild::VirtualIp(found)) => mentions_of_own(found),
            // No Service is of another kind.
            _ => Vec::new(),
        }
    }
}

/// All Services.
#[derive(Debug, Default)]
pub struct ServiceStore {
    /// The Services themselves.
    pub table: Table<CachedService>,
    /// Children by what they mention: names of instances and links, and UIDs.
    pub children: Groups<Mention>,
}

impl ServiceStore {
    /// The child of this name.
    pub fn child(&self, name: &ObjectName) -> Option<&ObservedChild> {
        self.table.get(name)?.child.as_ref()
    }

    /// The first word of a child that leads to links, so that a walk over all mentions takes it up once.
    pub(crate) fn first_mention(&self, name: &ObjectName) -> Option<String> {
        let mentions = self.table.get(name)?.mentions();
        mentions.into_iter().map(|(_, word)| word).min()
    }

    pub(crate) fn reindex(&mut self, change: &Change<CachedService>) {
        let mentions = |service: &Option<Arc<CachedService>>| {
            service.as_ref().map(|service| service.mentions()).unwrap_or_default()
        };
        self.children
            .update(&change.name, &mentions(&change.old), &mentions(&change.new));
    }
}

impl Item for CachedService {
    fn uid(&self) -> &str {
        &self.service.uid
    }

    fn resource_version(&self) -> &str {
        &self.service.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_map("spec.selector", &self.service.selector);
        scale.add_list(
            "spec.externalName",
            self.service.external_name.iter().map(String::as_str),
        );
        scale.add_list(
            "spec.ports",
            self.service.ports.iter().flat_map(|port| [&*port.name, ""]),
        );
        match &self.child {
            Some(ObservedChild::Directory(found)) => scale.add_child(found),
            Some(ObservedChild::VirtualIp(found)) => scale.add_child(found),
            _ => {}
        }
    }
}

/// Which child a Service may be: the name tells. Core decides whether it is one.
fn child_of(raw: core::Service) -> Option<ObservedChild> {
    let name = raw.metadata.name.as_deref().unwrap_or_default();
    if link_in(Kind::VirtualIp, name).is_some() {
        Some(ObservedChild::VirtualIp(Observed::from(raw)))
    } else if is_directory(name) {
        Some(ObservedChild::Directory(Observed::from(raw)))
    } else {
        None
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
        external_name: (spec.type_.as_deref() == Some("ExternalName"))
            .then(|| normalized(spec.external_name.as_deref().unwrap_or_default())),
        cluster_ips,
        selector: spec.selector.unwrap_or_default(),
        ports: ports.collect(),
        publish_not_ready_addresses: spec.publish_not_ready_addresses.unwrap_or_default(),
        import: None,
    }
}
