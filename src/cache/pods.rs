//! Pods, by owner and by namespace.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_core::child::{Family, Owner};
use instancelink_core::resolve::selector::contains;
use instancelink_core::snapshot::Pod;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::lean::{Lean, PodSpec, PodStatus, controller_of};
use super::name::ObjectName;
use super::table::{Change, Item, Table};

/// All pods.
#[derive(Debug, Default)]
pub(crate) struct PodStore {
    pub(crate) table: Table<Pod>,
    pub(crate) by_owner: Groups<String>,
    pub(crate) by_namespace: Groups<Arc<str>>,
    /// Those with readiness gates of ours.
    pub(crate) gated: Groups<Arc<str>>,
}

impl Item for Pod {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of pods.
pub(crate) struct Pods;

impl Watched for Pods {
    type Raw = Lean<PodSpec, PodStatus>;
    type Item = Pod;
    const KIND: &'static str = "Pod";

    fn reduce(raw: Self::Raw) -> Pod {
        let Lean {
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
            addresses: addresses_of(&status),
            container_ports: spec.container_ports(),
            gates: spec.gates(&status),
            node: spec.node_name.filter(|n| !n.is_empty()),
            ready,
            finished: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
        }
    }

    fn table(index: &mut Index) -> &mut Table<Pod> {
        &mut index.pods.table
    }

    fn changed(index: &mut Index, change: &Change<Pod>, _: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        index.pods.reindex(&change.name, old, new);
        let (namespace, name) = (&change.name.namespace, &change.name.name);
        let identity = |p: Option<&Pod>| p.map(|p| (p.uid.clone(), p.terminating, p.labels.clone()));
        if identity(old) != identity(new) {
            affected.extend(index.links.of_source(namespace, name), Cause::Change);
        }
        if new.is_some_and(|new| new.gates.is_some()) && gates_differ(old, new) {
            affected.gated.insert(change.name.clone());
        }
        if !differs(old, new) {
            return;
        }
        affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Endpoints);
        for owner in [old, new].into_iter().flatten().filter_map(|p| p.controller.as_ref()) {
            extend_with_owner(index, namespace, owner, affected);
        }
        let labels: Vec<_> = [old, new].into_iter().flatten().map(|p| &p.labels).collect();
        extend_with_services(index, namespace, &labels, affected);
    }
}

impl PodStore {
    fn reindex(&mut self, name: &ObjectName, old: Option<&Pod>, new: Option<&Pod>) {
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
}

impl PodStore {
    /// The pods of a namespace that wait for this alias, of whatever instance they are.
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

/// Links to the pod's owner, and to the owner's owner: a Deployment has its pods through ReplicaSets.
fn extend_with_owner(index: &Index, namespace: &Arc<str>, owner: &Owner, affected: &mut Affected) {
    affected.extend(
        index.links.of_target(&owner.kind, namespace, &owner.name),
        Cause::Endpoints,
    );
    let set = index.workloads.set(namespace, owner);
    if let Some(grand_owner) = set.and_then(|set| set.controller.as_ref()) {
        affected.extend(
            index.links.of_target(&grand_owner.kind, namespace, &grand_owner.name),
            Cause::Endpoints,
        );
    }
}

/// Links to Services that select the pod now, or did before.
fn extend_with_services(
    index: &Index,
    namespace: &Arc<str>,
    labels: &[&BTreeMap<String, String>],
    affected: &mut Affected,
) {
    let first = ("Service".to_owned(), Arc::clone(namespace), String::new());
    for ((kind, in_namespace, service), links) in index.links.by_target.from(first) {
        if kind != "Service" || in_namespace != namespace {
            break;
        }
        let name = ObjectName::within(namespace, service.as_str());
        let selects = index
            .services
            .table
            .get(&name)
            .is_some_and(|s| labels.iter().any(|l| selects(&s.service.selector, l)));
        if selects {
            affected.extend(links, Cause::Endpoints);
        }
    }
}

/// True where a Service's selector selects these labels; an empty one selects nothing.
pub(crate) fn selects(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && contains(labels, selector)
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

/// True where the answer to a pod's readiness gates may be another one now.
fn gates_differ(old: Option<&Pod>, new: Option<&Pod>) -> bool {
    let view = |p: &Pod| {
        (
            p.uid.clone(),
            p.gates.clone(),
            p.controller.clone(),
            p.terminating || p.finished,
        )
    };
    old.map(view) != new.map(view)
}

/// A new resourceVersion alone, as each kubelet heartbeat on a condition brings, is no difference.
fn differs(old: Option<&Pod>, new: Option<&Pod>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let Pod {
                namespace: _,
                name: _,
                uid,
                resource_version: _,
                labels,
                controller,
                addresses,
                node,
                ready,
                terminating,
                finished,
                container_ports,
                gates: _,
            } = old;
            *uid != new.uid
                || *labels != new.labels
                || *controller != new.controller
                || *addresses != new.addresses
                || *node != new.node
                || *ready != new.ready
                || *terminating != new.terminating
                || *finished != new.finished
                || *container_ports != new.container_ports
        }
        _ => true,
    }
}
