//! Deployments, StatefulSets, DaemonSets and ReplicaSets: four watches of one shape.

use std::marker::PhantomData;

use instancelink_core::child::Owner;
use instancelink_core::snapshot::{Workload, WorkloadKind};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use kube::Resource;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::lean::{Ignored, Lean, WorkloadSpec, controller_of};
use super::name::ObjectName;
use super::table::{Change, Item, Table};

/// All workloads.
#[derive(Debug, Default)]
pub(crate) struct WorkloadStore {
    deployments: Table<Workload>,
    stateful_sets: Table<Workload>,
    daemon_sets: Table<Workload>,
    replica_sets: Table<Workload>,
    /// ReplicaSets and StatefulSets by the UID of what controls them.
    sets_of: Groups<(WorkloadKind, String)>,
}

impl Item for Workload {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

impl WorkloadStore {
    /// The workloads of a kind.
    pub(crate) fn of(&self, kind: WorkloadKind) -> &Table<Workload> {
        match kind {
            WorkloadKind::Deployment => &self.deployments,
            WorkloadKind::StatefulSet => &self.stateful_sets,
            WorkloadKind::DaemonSet => &self.daemon_sets,
            WorkloadKind::ReplicaSet => &self.replica_sets,
        }
    }

    fn of_mut(&mut self, kind: WorkloadKind) -> &mut Table<Workload> {
        match kind {
            WorkloadKind::Deployment => &mut self.deployments,
            WorkloadKind::StatefulSet => &mut self.stateful_sets,
            WorkloadKind::DaemonSet => &mut self.daemon_sets,
            WorkloadKind::ReplicaSet => &mut self.replica_sets,
        }
    }

    /// The sets that an object controls: it has their pods.
    pub(crate) fn sets_of(&self, uid: &str) -> impl Iterator<Item = &Workload> {
        SETS.into_iter().flat_map(move |kind| {
            let names = self.sets_of.get(&(kind, uid.to_owned()));
            names.filter_map(move |name| self.of(kind).get(name)).map(AsRef::as_ref)
        })
    }

    /// The set that is the owner of a pod, if it is one that is known.
    pub(crate) fn set(&self, namespace: &str, owner: &Owner) -> Option<&Workload> {
        let sets = self.of(set_kind(owner)?);
        let set = sets.get(&ObjectName::new(namespace, &owner.name))?;
        (set.uid == owner.uid).then_some(set)
    }
}

/// The kinds that have pods for others: a Deployment or a Rollout has them through ReplicaSets, some databases through
/// StatefulSets.
const SETS: [WorkloadKind; 2] = [WorkloadKind::ReplicaSet, WorkloadKind::StatefulSet];

/// The kind of set that this owner is.
pub(crate) fn set_kind(owner: &Owner) -> Option<WorkloadKind> {
    let of_kind = |kind: &WorkloadKind| owner.kind == kind.as_str() && owner.api_version.starts_with("apps/");
    SETS.into_iter().find(of_kind)
}

/// The API's kind, as a type for the watch and a value for the rest.
pub(crate) trait WorkloadApi:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static
{
    const WHICH: WorkloadKind;
}

impl WorkloadApi for Deployment {
    const WHICH: WorkloadKind = WorkloadKind::Deployment;
}

impl WorkloadApi for StatefulSet {
    const WHICH: WorkloadKind = WorkloadKind::StatefulSet;
}

impl WorkloadApi for DaemonSet {
    const WHICH: WorkloadKind = WorkloadKind::DaemonSet;
}

impl WorkloadApi for ReplicaSet {
    const WHICH: WorkloadKind = WorkloadKind::ReplicaSet;
}

/// The watch of one kind of workload.
pub(crate) struct Workloads<K>(PhantomData<K>);

impl<K: WorkloadApi> Watched for Workloads<K> {
    type Raw = Lean<WorkloadSpec, Ignored>;
    type Item = Workload;
    const KIND: &'static str = K::WHICH.as_str();

    fn reduce(raw: Self::Raw) -> Workload {
        let meta = raw.metadata;
        Workload {
            kind: K::WHICH.into(),
            controller: controller_of(&meta),
            terminating: meta.deletion_timestamp.is_some(),
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            selector: raw.spec.selector.unwrap_or_default(),
            container_ports: raw.spec.template.spec.container_ports(),
        }
    }

    fn table(index: &mut Index) -> &mut Table<Workload> {
        index.workloads.of_mut(K::WHICH)
    }

    fn changed(index: &mut Index, change: &Change<Workload>, _: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        if SETS.contains(&K::WHICH) {
            if differs(old, new) {
                extend_with_gated(index, [old, new].into_iter().flatten(), affected);
            }
            let controllers = |w: Option<&Workload>| {
                w.and_then(|w| w.controller.as_ref())
                    .map(|o| (K::WHICH, o.uid.clone()))
                    .into_iter()
                    .collect::<Vec<_>>()
            };
            index
                .workloads
                .sets_of
                .update(&change.name, &controllers(old), &controllers(new));
        }
        let (namespace, name) = (&change.name.namespace, &change.name.name);
        let identity = |w: Option<&Workload>| w.map(|w| (w.uid.clone(), w.terminating));
        if identity(old) != identity(new) {
            affected.extend(index.links.of_source(namespace, name), Cause::Change);
        }
        if differs(old, new) {
            affected.extend(index.links.of_target(Self::KIND, namespace, name), Cause::Change);
            for owner in [old, new].into_iter().flatten().filter_map(|w| w.controller.as_ref()) {
                affected.extend(
                    index.links.of_target(&owner.kind, namespace, &owner.name),
                    Cause::Change,
                );
            }
        }
    }
}

/// A pod may be known before the set that tells whose it is.
fn extend_with_gated<'a>(index: &Index, sets: impl Iterator<Item = &'a Workload>, affected: &mut Affected) {
    for set in sets {
        let pods = index.pods.by_owner.get(set.uid.as_str());
        let gated = pods.filter(|name| index.pods.table.get(name).is_some_and(|pod| pod.gates.is_some()));
        affected.gated.extend(gated.cloned());
    }
}

/// A new resourceVersion alone, as each change of a workload's status brings, is no difference.
fn differs(old: Option<&Workload>, new: Option<&Workload>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let Workload {
                kind: _,
                namespace: _,
                name: _,
                uid,
                resource_version: _,
                terminating,
                selector,
                container_ports,
                controller,
            } = old;
            *uid != new.uid
                || *terminating != new.terminating
                || *selector != new.selector
                || *container_ports != new.container_ports
                || *controller != new.controller
        }
        _ => true,
    }
}
