//! Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs, and which of them control which sets.

use std::sync::Arc;

use instancelink_api::reference::group_in;
use instancelink_core::child::Owner;
use instancelink_core::snapshot::{Workload, WorkloadKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::pod_template::{WorkloadSpec, controller_of};
use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// All workloads.
#[derive(Debug, Default)]
pub struct WorkloadStore {
    deployments: Table<Workload>,
    stateful_sets: Table<Workload>,
    daemon_sets: Table<Workload>,
    replica_sets: Table<Workload>,
    jobs: Table<Workload>,
    cron_jobs: Table<Workload>,
    /// ReplicaSets, StatefulSets and Jobs by the UID of what controls them.
    sets_of: Groups<(WorkloadKind, String)>,
}

impl Item for Workload {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        let is_cron_job = self.kind == WorkloadKind::CronJob.into();
        let field = if is_cron_job {
            "spec.jobTemplate"
        } else {
            "spec.selector"
        };
        scale.add(field, self.selector.size());
        let ports = self.container_ports.iter().map(|port| port.name.as_str());
        scale.add_list("spec.template", ports);
        scale.add_owners(&self.controller);
    }
}

impl WorkloadStore {
    /// The workloads of a kind.
    pub fn of(&self, kind: WorkloadKind) -> &Table<Workload> {
        match kind {
            WorkloadKind::Deployment => &self.deployments,
            WorkloadKind::StatefulSet => &self.stateful_sets,
            WorkloadKind::DaemonSet => &self.daemon_sets,
            WorkloadKind::ReplicaSet => &self.replica_sets,
            WorkloadKind::Job => &self.jobs,
            WorkloadKind::CronJob => &self.cron_jobs,
        }
    }

    pub(crate) fn of_mut(&mut self, kind: WorkloadKind) -> &mut Table<Workload> {
        match kind {
            WorkloadKind::Deployment => &mut self.deployments,
            WorkloadKind::StatefulSet => &mut self.stateful_sets,
            WorkloadKind::DaemonSet => &mut self.daemon_sets,
            WorkloadKind::ReplicaSet => &mut self.replica_sets,
            WorkloadKind::Job => &mut self.jobs,
            WorkloadKind::CronJob => &mut self.cron_jobs,
        }
    }

    /// The sets in the namespace of an object that it controls: it has their pods.
    pub fn sets_of(&self, namespace: &Arc<str>, uid: &str) -> impl Iterator<Item = &Workload> {
        SETS.into_iter().flat_map(move |kind| {
            let names = self.sets_of.within(namespace, &(kind, uid.to_owned()));
            names.filter_map(move |name| self.of(kind).get(name)).map(AsRef::as_ref)
        })
    }

    /// Brings the lookups up to date with a change of this kind.
    pub(crate) fn reindex(&mut self, kind: WorkloadKind, change: &Change<Workload>) {
        if !SETS.contains(&kind) {
            return;
        }
        let controllers = |workload: Option<&Workload>| {
            let controller = workload.and_then(|workload| workload.controller.as_ref());
            controller
                .map(|owner| (kind, owner.uid.clone()))
                .into_iter()
                .collect::<Vec<_>>()
        };
        let (old, new) = (controllers(change.old.as_deref()), controllers(change.new.as_deref()));
        self.sets_of.update(&change.name, &old, &new);
    }

    /// The set that is the owner of a pod, if it is one that is known.
    pub fn set(&self, namespace: &str, owner: &Owner) -> Option<&Workload> {
        let sets = self.of(set_kind(owner)?);
        let set = sets.get(&ObjectName::new(namespace, &owner.name))?;
        (set.uid == owner.uid).then_some(set)
    }
}

/// The kinds that have pods for others: a Deployment or a Rollout has them through ReplicaSets, some databases through
/// StatefulSets, and a CronJob through Jobs.
pub(crate) const SETS: [WorkloadKind; 3] = [WorkloadKind::ReplicaSet, WorkloadKind::StatefulSet, WorkloadKind::Job];

/// The kind of set that this owner is.
pub fn set_kind(owner: &Owner) -> Option<WorkloadKind> {
    let of_kind = |kind: &WorkloadKind| {
        owner.kind == kind.as_str() && group_in(&owner.api_version) == group_in(kind.api_version())
    };
    SETS.into_iter().find(of_kind)
}

/// Reduces a workload of this kind to the fields that the cache keeps.
pub(crate) fn reduce(kind: WorkloadKind, meta: ObjectMeta, spec: WorkloadSpec) -> Workload {
    Workload {
        kind: kind.into(),
        controller: controller_of(&meta),
        terminating: meta.deletion_timestamp.is_some(),
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        selector: spec.selector.unwrap_or_default(),
        container_ports: spec.template.spec.container_ports(),
    }
}
