//! The namespaces of the campaign, with workloads whose pods come and go, and slots for links.

use std::sync::Arc;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{LINKS, NAMESPACES, PODS, REPLICA_SETS, Resource};
use instancelink_testkit::api::write::{self, Writer};
use serde_json::{Value, json};

use super::Size;
use crate::script::{key, merge};
use crate::seeds;

/// The source and target workloads of a namespace.
const SOURCES: u32 = 10;
pub(super) const TARGETS: u32 = 4;
/// Pods of each target.
pub(super) const PODS_EACH: u32 = 2;

pub(super) struct Town {
    pub(super) api: Arc<Api>,
    pub(super) size: Size,
    addresses: u32,
    /// Links of another day have other names, except the one that stays at night.
    pub(super) today: u32,
}

impl Town {
    pub(super) fn plant(api: &Arc<Api>, size: Size) -> Self {
        seeds::plant(api);
        let mut town = Self {
            api: Arc::clone(api),
            size,
            addresses: 0,
            today: 0,
        };
        for n in 0..size.namespaces {
            let namespace = space(n);
            seeds::put(api, &NAMESPACES, json!({"metadata": {"name": namespace}}));
            for source in 0..SOURCES {
                let address = town.address();
                seeds::workload(api, &namespace, &format!("web-{source}"), &[&address]);
            }
            for target in 0..TARGETS {
                let addresses: Vec<String> = (0..PODS_EACH).map(|_| town.address()).collect();
                let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                seeds::workload(api, &namespace, &format!("pg-{target}"), &addresses);
            }
        }
        town
    }

    /// An address that no pod had before.
    fn address(&mut self) -> String {
        self.addresses += 1;
        let [_, a, b, c] = (self.addresses + 0x0100_0000).to_be_bytes();
        format!("11.{a}.{b}.{c}")
    }

    /// A pod of a target becomes ready. It gets a new address if it is new or moves.
    pub(super) fn pod_up(&mut self, namespace: &str, target: u32, pod: u32, moves: bool) {
        let name = pod_of(target, pod);
        let found = self.get(&PODS, namespace, &name);
        let current = found.as_ref().and_then(|pod| pod["status"]["podIP"].as_str());
        let address = match current {
            Some(address) if !moves => address.to_owned(),
            _ => self.address(),
        };
        if found.is_some() {
            seeds::pod_status(&self.api, namespace, &name, &address, true);
        } else if let Some(set) = self.get(&REPLICA_SETS, namespace, &format!("pg-{target}-1")) {
            seeds::pod(&self.api, namespace, &format!("pg-{target}"), &name, &address, &set);
        }
    }

    pub(super) fn pod_unready(&self, namespace: &str, target: u32, pod: u32) {
        let name = pod_of(target, pod);
        let found = self.get(&PODS, namespace, &name);
        if let Some(address) = found.as_ref().and_then(|pod| pod["status"]["podIP"].as_str()) {
            seeds::pod_status(&self.api, namespace, &name, address, false);
        }
    }

    /// Makes all pods exist and ready.
    pub(super) fn mend(&mut self) {
        for n in 0..self.size.namespaces {
            for target in 0..TARGETS {
                for pod in 0..PODS_EACH {
                    self.pod_up(&space(n), target, pod, false);
                }
            }
        }
    }

    /// Creates a link in this slot. An earlier link may still be in deletion.
    pub(super) fn link_up(&self, namespace: &str, slot: u32, target: u32) {
        let mut spec = json!({
            "linkName": format!("db-{slot}"),
            "instanceRef": {"kind": "Deployment", "name": format!("web-{}", slot % SOURCES)},
            "targetInstanceRef": {"kind": "Deployment", "name": format!("pg-{target}")},
        });
        if slot % 10 == 9 {
            spec["addressing"] = "VirtualIP".into();
            spec["ports"] = json!([{"name": "pg", "port": 5432}]);
        }
        let link = json!({"metadata": {"name": self.name_of(slot), "namespace": namespace}, "spec": spec});
        self.api.change(|store, now| {
            let by = "kubectl-create";
            let _ = write::create(store, &LINKS, namespace, link, Writer { by, now });
        });
    }

    /// `kubectl delete`.
    pub(super) fn delete(&self, resource: &'static Resource, namespace: &str, name: &str) {
        let (key, options) = (key(resource, namespace, name), json!({"gracePeriodSeconds": 0}));
        self.api.change(|store, now| {
            let by = "kubectl-delete";
            let _ = write::delete(store, &key, &options, Writer { by, now });
        });
    }

    /// A merge patch of an existing link.
    pub(super) fn patch(&self, namespace: &str, slot: u32, patch: &Value, by: &str) {
        merge(&self.api, &key(&LINKS, namespace, &self.name_of(slot)), None, patch, by);
    }

    /// The link in this slot.
    pub(super) fn name_of(&self, slot: u32) -> String {
        if slot == self.size.still() {
            "still".to_owned()
        } else {
            format!("link-{slot}-of-day-{}", self.today)
        }
    }

    pub(super) fn get(&self, resource: &'static Resource, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.api.store().get(&key(resource, namespace, name)).map(Arc::clone)
    }
}

pub(super) fn space(n: u32) -> String {
    format!("town-{n}")
}

pub(super) fn pod_of(target: u32, pod: u32) -> String {
    format!("pg-{target}-1-{pod}")
}
