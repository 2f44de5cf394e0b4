//! Workloads: a change concerns the links whose source or target it is, or that lead to its controller. A set also concerns
//! the pods with readiness gates that it controls.

use std::marker::PhantomData;
use std::sync::Arc;

use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{Workload, WorkloadKind};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::Resource;
use serde::de::DeserializeOwned;

use super::{Watched, Who, kept_pods};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::pod_template::{CronJobSpec, WorkloadSpec};
use crate::index::workloads::{self, SETS};
use crate::store::projection::{Ignored, Projected};
use crate::store::table::{Change, Table};

/// The API's kind, as a type for the watch and a value for the rest.
pub trait WorkloadApi: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// The kind.
    const WHICH: WorkloadKind;
    /// The fields of its spec that are read.
    type Spec: DeserializeOwned + Default + Into<WorkloadSpec> + Clone + std::fmt::Debug + Send + Sync + 'static;
}

impl WorkloadApi for Deployment {
    const WHICH: WorkloadKind = WorkloadKind::Deployment;
    type Spec = WorkloadSpec;
}

impl WorkloadApi for StatefulSet {
    const WHICH: WorkloadKind = WorkloadKind::StatefulSet;
    type Spec = WorkloadSpec;
}

impl WorkloadApi for DaemonSet {
    const WHICH: WorkloadKind = WorkloadKind::DaemonSet;
    type Spec = WorkloadSpec;
}

impl WorkloadApi for ReplicaSet {
    const WHICH: WorkloadKind = WorkloadKind::ReplicaSet;
    type Spec = WorkloadSpec;
}

impl WorkloadApi for Job {
    const WHICH: WorkloadKind = WorkloadKind::Job;
    type Spec = WorkloadSpec;
}

impl WorkloadApi for CronJob {
    const WHICH: WorkloadKind = WorkloadKind::CronJob;
    type Spec = CronJobSpec;
}

/// The watch of one kind of workload.
pub struct Workloads<K>(PhantomData<K>);

/// The watch of Deployments.
pub type Deployments = Workloads<Deployment>;
/// The watch of StatefulSets.
pub type StatefulSets = Workloads<StatefulSet>;
/// The watch of DaemonSets.
pub type DaemonSets = Workloads<DaemonSet>;
/// The watch of ReplicaSets.
pub type ReplicaSets = Workloads<ReplicaSet>;
/// The watch of Jobs.
pub type Jobs = Workloads<Job>;
/// The watch of CronJobs.
pub type CronJobs = Workloads<CronJob>;

impl<K: WorkloadApi> Watched for Workloads<K> {
    type Raw = Projected<K::Spec, Ignored>;
    type Item = Workload;
    const KIND: &'static str = K::WHICH.as_str();

    fn reduce(raw: Self::Raw) -> Workload {
        workloads::reduce(K::WHICH, raw.metadata, raw.spec.into())
    }

    fn table(index: &mut Index) -> &mut Table<Workload> {
        index.workloads.of_mut(K::WHICH)
    }

    fn reindex(index: &mut Index, change: &Change<Workload>) {
        index.workloads.reindex(K::WHICH, change);
    }

    fn concerns(index: &Index, change: &Change<Workload>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        if SETS.contains(&K::WHICH) && differs(old, new) {
            extend_with_gated(index, &change.name.namespace, [old, new], &mut affected);
            kept_pods::extend_with_adopted(index, &change.name.namespace, old, new, &mut affected);
        }
        let (namespace, name) = (&change.name.namespace, &change.name.name);
        if as_source(old) != as_source(new) {
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
        affected
    }
}

/// What a link reads of its source. The selector of a CronJob changes with the labels in its template.
fn as_source(workload: Option<&Workload>) -> Option<(&str, bool, &Selector)> {
    workload.map(|w| (w.uid.as_str(), w.terminating, &w.selector))
}

/// A pod may be in the cache before the set that connects it to its workload.
fn extend_with_gated(index: &Index, namespace: &Arc<str>, sets: [Option<&Workload>; 2], affected: &mut Affected) {
    for set in sets.into_iter().flatten() {
        let pods = index.pods.by_owner.within(namespace, set.uid.as_str());
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
