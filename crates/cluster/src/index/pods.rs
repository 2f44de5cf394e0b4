//! Pods, by owner and by namespace.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_core::child::Family;
use instancelink_core::resolve::budget::{Budget, TooCostly};
use instancelink_core::resolve::selector::contains_within;
use instancelink_core::snapshot::Pod;

use super::pod_template::{PodSpec, PodStatus, controller_of};
use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::projection::Projected;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// All pods.
#[derive(Debug, Default)]
pub struct PodStore {
    /// The pods themselves.
    pub table: Table<Pod>,
    pub(crate) by_owner: Groups<String>,
    pub(crate) by_namespace: Groups<Arc<str>>,
    /// The pods with readiness gates for links, by namespace.
    pub gated: Groups<Arc<str>>,
}

impl Item for Pod {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_map("metadata.labels", &self.labels);
        scale.add_list(
            "spec.containers",
            self.container_ports.iter().map(|port| port.name.as_str()),
        );
        scale.add_owners(&self.controller);
        let gates = self.gates.iter().flat_map(|gates| &gates.0);
        let verdicts = gates.filter_map(|gate| gate.observed.as_ref());
        scale.add_list(
            "status.conditions",
            verdicts.flat_map(|verdict| [&*verdict.reason, &*verdict.message]),
        );
    }
}

/// Reduces a pod to the fields that the cache keeps.
pub(crate) fn reduce(raw: Projected<PodSpec, PodStatus>) -> Pod {
    let Projected {
        metadata: meta,
        spec,
        status,
        ..
    } = raw;
    let ready = status
        .conditions
        .iter()
        .flatten()
        .any(|c| c.type_ == "Ready" && c.status == "True");
    Pod {
        controller: controller_of(&meta),
        terminating: meta.deletion_timestamp.is_some(),
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        labels: meta.labels.unwrap_or_default(),
        labels_unknown: false,
        addresses: addresses_of(&status),
        container_ports: spec.container_ports(),
        gates: spec.gates(&status),
        node: spec.node_name.filter(|n| !n.is_empty()),
        ready,
        finished: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
    }
}

impl PodStore {
    pub(crate) fn reindex(&mut self, change: &Change<Pod>) {
        let (name, old, new) = (&change.name, change.old.as_deref(), change.new.as_deref());
        let owners = |p: Option<&Pod>| {
            p.and_then(|p| p.controller.as_ref())
                .map(|o| o.uid.clone())
                .into_iter()
                .collect::<Vec<_>>()
        };
        self.by_owner.update(name, &owners(old), &owners(new));
        let namespaces = |p: Option<&Pod>| p.map(|_| Arc::clone(&name.namespace)).into_iter().collect::<Vec<_>>();
        self.by_namespace.update(name, &namespaces(old), &namespaces(new));
        let gated = |p: Option<&Pod>| namespaces(p.filter(|p| p.gates.is_some()));
        self.gated.update(name, &gated(old), &gated(new));
    }

    /// The pods of a namespace that wait for this alias, of any instance.
    pub(crate) fn waiting_for<'a>(
        &'a self,
        namespace: &Arc<str>,
        alias: &'a str,
    ) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
        self.gated.get(namespace).filter(move |name| {
            let gates = self.table.get(name).and_then(|pod| pod.gates.as_ref());
            gates.is_some_and(|gates| gates.0.iter().any(|gate| gate.alias == alias))
        })
    }
}

/// True if a Service's selector selects these labels; an empty one selects nothing.
pub(crate) fn selects(
    budget: &mut Budget,
    selector: &BTreeMap<String, String>,
    labels: &BTreeMap<String, String>,
) -> Result<bool, TooCostly> {
    Ok(!selector.is_empty() && contains_within(budget, labels, selector)?)
}

fn addresses_of(status: &PodStatus) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(1);
    let listed = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    for address in status.pod_ip.as_deref().into_iter().chain(listed) {
        if let Ok(address) = address.parse::<IpAddr>()
            && !addresses.iter().any(|a| Family::of(*a) == Family::of(address))
        {
            addresses.push(address);
        }
    }
    addresses
}
