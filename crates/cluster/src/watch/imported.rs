//! What is read of a `ServiceImport`: its clusterset IPs and its ports.

use std::net::IpAddr;

use instancelink_api::spec::Protocol;
use instancelink_core::resolve::imports::is_import;
use instancelink_core::snapshot::{ApiKind, Import, Service, ServicePort};
use serde::Deserialize;

use super::scaled_object::Object;
use crate::store::fields::Fields;

/// Most addresses that are read. The API has two at most.
const MOST_IPS: usize = 8;
/// Most ports that are read: one more than a link has, so that the decision sees that there are too many.
const MOST_PORTS: usize = 101;
/// The longest name of a port.
const LONGEST_NAME: usize = 63;

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    name: String,
    #[serde(rename = "port")]
    number: u16,
    protocol: Option<String>,
}

/// The object as a Service, if its kind is that of imports. Its version is left out: a new version alone is no difference.
pub(super) fn import_of(kind: &ApiKind, object: &Object) -> Option<Service> {
    if !is_import(kind) {
        return None;
    }
    let spec = object.spec.as_ref().map(|spec| Fields::of(spec.get()));
    let spec = spec.unwrap_or_default();
    let ips: Vec<String> = spec.read("ips").unwrap_or_default();
    let ports: Vec<Port> = spec.read("ports").unwrap_or_default();
    let ports = ports.into_iter().take(MOST_PORTS).map(|port| ServicePort {
        name: Some(port.name)
            .filter(|name| name.len() <= LONGEST_NAME)
            .unwrap_or_default(),
        port: port.number,
        target_port: None,
        protocol: Protocol::of(port.protocol.as_deref()),
    });
    let meta = &object.metadata;
    Some(Service {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: String::new(),
        terminating: meta.deletion_timestamp.is_some(),
        external_name: None,
        cluster_ips: ips
            .iter()
            .take(MOST_IPS)
            .filter_map(|ip| ip.parse::<IpAddr>().ok())
            .collect(),
        selector: [].into(),
        ports: ports.collect(),
        publish_not_ready_addresses: false,
        import: Some(Box::new(Import {
            kind: kind.clone(),
            headless: spec.read::<String>("type").as_deref() == Some("Headless"),
        })),
    })
}

#[cfg(test)]
mod tests;
