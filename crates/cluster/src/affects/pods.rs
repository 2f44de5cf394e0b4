//! Pods: a change concerns the links that lead to the pod, to its owners or to a Service that selects it, the links one of
//! whose policies selects it, and the links whose source it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_core::child::Owner;
use instancelink_core::resolve::budget::{Budget, TooCostly};
use instancelink_core::snapshot::{Pod, Unusable};

use super::policy_ends::any;
use super::{Watched, Who, bounded, former_sources, kept_pods, policy_ends};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::pod_template::{PodSpec, PodStatus};
use crate::index::pods::{self, selects};
use crate::index::slices::bit_of;
use crate::name::ObjectName;
use crate::store::lenient::Lenient;
use crate::store::projection::Projected;
use crate::store::table::{Change, Reduced, Table};

/// The watch of pods.
pub struct Pods;

impl Watched for Pods {
    type Raw = Projected<PodSpec, PodStatus>;
    type Item = Pod;
    const KIND: &'static str = "Pod";

    fn reduced(raw: Lenient<Self::Raw>) -> Reduced<Pod> {
        let mut reduced = bounded::<Self>(raw);
        reduced.item.labels_unknown = matches!(reduced.why.as_deref(), Some(Unusable::TooLarge { .. }));
        reduced
    }

    fn reduce(raw: Self::Raw) -> Pod {
        pods::reduce(raw)
    }

    fn table(index: &mut Index) -> &mut Table<Pod> {
        &mut index.pods.table
    }

    fn reindex(index: &mut Index, change: &Change<Pod>) {
        index.pods.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<Pod>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let (namespace, name) = (&change.name.namespace, &change.name.name);
        let identity = |p: Option<&Pod>| p.map(|p| (p.uid.clone(), p.terminating, p.labels.clone()));
        if identity(old) != identity(new) {
            affected.extend(index.links.of_source(namespace, name), Cause::Change);
        }
        if new.is_some_and(|new| new.gates.is_some()) && gates_differ(old, new) {
            affected.gated.insert(change.name.clone());
        }
        if !differs(old, new) {
            return affected;
        }
        affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Endpoints);
        for owner in [old, new].into_iter().flatten().filter_map(|p| p.controller.as_ref()) {
            extend_with_owner(index, namespace, owner, &mut affected);
        }
        former_sources::extend_with_ended(index, namespace, old, new, &mut affected);
        kept_pods::extend_with_unowned(index, namespace, old, new, &mut affected);
        let mut labels: Vec<_> = [old, new].into_iter().flatten().map(|p| &p.labels).collect();
        labels.dedup();
        let of_pod = old.map_or(0, |old| bit_of(&old.uid));
        extend_with_services(index, namespace, of_pod, &labels, &mut affected);
        policy_ends::extend(index, namespace, old, new, &mut affected);
        affected
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

/// Links to Services that select the pod now, or did before, or that are missing while their pods stay. Beyond the budget of the
/// event, links to all Services that may.
fn extend_with_services(
    index: &Index,
    namespace: &Arc<str>,
    of_pod: u64,
    labels: &[&BTreeMap<String, String>],
    affected: &mut Affected,
) {
    let mut budget = Budget::of_event();
    let first = ("Service".to_owned(), Arc::clone(namespace), String::new());
    for ((kind, in_namespace, service), links) in index.links.by_target.from(first) {
        if kind != "Service" || in_namespace != namespace {
            break;
        }
        let name = ObjectName::within(namespace, service.as_str());
        let Some(found) = index.services.table.get(&name) else {
            let behind = links.filter(|link| kept_pods::may_have(index, link, of_pod));
            affected.extend(behind, Cause::Endpoints);
            continue;
        };
        match any(labels, |labels| selects(&mut budget, &found.service.selector, labels)) {
            Ok(true) => affected.extend(links, Cause::Endpoints),
            Ok(false) => {}
            Err(TooCostly) => affected.extend(links, Cause::Change),
        }
    }
}

/// True if the answer to a pod's readiness gates may change.
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
                labels_unknown,
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
                || *labels_unknown != new.labels_unknown
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
