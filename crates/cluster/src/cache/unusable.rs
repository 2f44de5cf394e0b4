//! The objects that cannot be used (contract#unusable-objects): reported once, and counted.

use std::collections::BTreeMap;

use instancelink_api::keys;
use instancelink_core::snapshot::{ApiKind, Unusable, Workload};

use super::Cache;
use crate::affects::{
    CronJobs, DaemonSets, Deployments, Environments, ForeignSlices, Grants, Jobs, Links, Namespaces, Nodes, Pods,
    Policies, ReferenceGrants, ReplicaSets, Secrets, Services, Slices, StatefulSets, Watched,
};
use crate::index::Index;
use crate::index::scaled::SCALED;
use crate::index::source_kind::workload_kind;
use crate::name::ObjectName;
use crate::store::table::{Item as _, Reduced};

/// An object that exists and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableObject {
    /// Its kind, as the metrics name it.
    pub kind: &'static str,
    /// Its kind, as the API names it.
    pub api_kind: ApiKind,
    /// Its name; empty if that cannot be read either.
    pub name: ObjectName,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Why it cannot be used.
    pub why: Unusable,
}

impl Cache {
    /// The number of objects that cannot be used, by kind and reason.
    pub fn count_unusable(&self) -> BTreeMap<(&'static str, &'static str), usize> {
        self.read(|index| {
            let mut counts = BTreeMap::new();
            for (kind, _, why) in all(index) {
                *counts.entry((kind, why.as_str())).or_default() += 1;
            }
            counts
        })
    }

    /// True while an object cannot be used for this reason.
    pub fn is_unusable(&self, object: &UnusableObject) -> bool {
        self.read(|index| why_unusable(index, object) == Some(&object.why))
    }

    /// Tells of an object that is about to be taken in, if it cannot be used and that is new. Most objects can be used.
    pub(super) fn note<W: Watched>(&self, name: &ObjectName, object: &Reduced<W::Item>) {
        let Some(why) = object.why.as_deref() else { return };
        let (uid, version) = (object.item.uid(), object.item.resource_version());
        let is_known = self.write(|index| {
            let table = W::table_in(index, &name.namespace);
            table.why_unusable(name) == Some(why) && table.get(name).is_some_and(|known| known.uid() == uid)
        });
        if !is_known {
            self.report::<W>(name, uid, version, Some(why));
        }
    }

    /// The same for an object of a kind that is watched because links name it.
    pub(super) fn note_scaled(&self, kind: &ApiKind, name: &ObjectName, object: &Reduced<Workload>) {
        let Some(why) = object.why.as_deref() else { return };
        if self.read(|index| index.scaled.why_unusable(kind, name) != Some(why)) {
            self.listener.unusable(unusable_scaled(kind, name, &object.item, why));
        }
    }

    /// The same for one whose scale was read, unless it was known to be unusable for this reason.
    pub(super) fn note_scale(&self, kind: &ApiKind, name: &ObjectName, known: Option<&Unusable>) {
        let object = self.read(|index| {
            let (object, why) = index.scaled.unusable_object(kind, name)?;
            (Some(why) != known).then(|| unusable_scaled(kind, name, object, why))
        });
        if let Some(object) = object {
            self.listener.unusable(object);
        }
    }

    pub(super) fn report<W: Watched>(&self, name: &ObjectName, uid: &str, version: &str, why: Option<&Unusable>) {
        self.listener.unusable(UnusableObject {
            kind: W::KIND,
            api_kind: ApiKind::new(
                api_version_of(W::KIND),
                if W::KIND == ForeignSlices::KIND {
                    "EndpointSlice"
                } else {
                    W::KIND
                },
            ),
            name: name.clone(),
            uid: uid.to_owned(),
            resource_version: version.to_owned(),
            why: why
                .cloned()
                .unwrap_or_else(|| Unusable::unreadable("metadata.name", "a name")),
        });
    }
}

fn unusable_scaled(kind: &ApiKind, name: &ObjectName, object: &Workload, why: &Unusable) -> UnusableObject {
    UnusableObject {
        kind: SCALED,
        api_kind: kind.clone(),
        name: name.clone(),
        uid: object.uid.clone(),
        resource_version: object.resource_version.clone(),
        why: why.clone(),
    }
}

/// The API version of a kind that is always watched.
fn api_version_of(kind: &str) -> &'static str {
    match kind {
        Links::KIND | Grants::KIND => keys::API_VERSION,
        ReferenceGrants::KIND => "gateway.networking.k8s.io/v1",
        Policies::KIND => "networking.k8s.io/v1",
        Slices::KIND | ForeignSlices::KIND => "discovery.k8s.io/v1",
        Deployments::KIND | StatefulSets::KIND | DaemonSets::KIND | ReplicaSets::KIND => "apps/v1",
        Jobs::KIND | CronJobs::KIND => "batch/v1",
        _ => "v1",
    }
}

/// Why the object of this kind and name cannot be used now.
fn why_unusable<'a>(index: &'a Index, object: &UnusableObject) -> Option<&'a Unusable> {
    let name = &object.name;
    if let Some(kind) = workload_kind(object.kind) {
        return index.workloads.of(kind).why_unusable(name);
    }
    match object.kind {
        Links::KIND => index.links.table.why_unusable(name),
        Grants::KIND => index.grants.table.why_unusable(name),
        ReferenceGrants::KIND => index.reference_grants.table.why_unusable(name),
        Pods::KIND => index.pods.table.why_unusable(name),
        Services::KIND => index.services.table.why_unusable(name),
        Slices::KIND => index.slices.table.why_unusable(name),
        Policies::KIND => index.policies.table.why_unusable(name),
        ForeignSlices::KIND => index.foreign_slices.table.why_unusable(name),
        Environments::KIND => index.environments.table.why_unusable(name),
        Namespaces::KIND => index.namespaces.why_unusable(name),
        Nodes::KIND => index.nodes.why_unusable(name),
        Secrets::KIND => index.secrets.why_unusable(name),
        SCALED => index.scaled.why_unusable(&object.api_kind, name),
        _ => None,
    }
}

/// All objects that cannot be used.
fn all(index: &Index) -> impl Iterator<Item = (&'static str, &ObjectName, &Unusable)> {
    let workloads = &index.workloads;
    let [deployments, stateful_sets, daemon_sets, replica_sets, jobs, cron_jobs] =
        crate::index::source_kind::KINDS.map(|kind| workloads.of(kind));
    let none = std::iter::empty();
    none.chain(of::<Links>(index.links.table.unusable()))
        .chain(of::<Grants>(index.grants.table.unusable()))
        .chain(of::<ReferenceGrants>(index.reference_grants.table.unusable()))
        .chain(of::<Deployments>(deployments.unusable()))
        .chain(of::<StatefulSets>(stateful_sets.unusable()))
        .chain(of::<DaemonSets>(daemon_sets.unusable()))
        .chain(of::<ReplicaSets>(replica_sets.unusable()))
        .chain(of::<Jobs>(jobs.unusable()))
        .chain(of::<CronJobs>(cron_jobs.unusable()))
        .chain(of::<Pods>(index.pods.table.unusable()))
        .chain(of::<Services>(index.services.table.unusable()))
        .chain(of::<Slices>(index.slices.table.unusable()))
        .chain(of::<Policies>(index.policies.table.unusable()))
        .chain(of::<ForeignSlices>(index.foreign_slices.table.unusable()))
        .chain(of::<Environments>(index.environments.table.unusable()))
        .chain(of::<Namespaces>(index.namespaces.unusable()))
        .chain(of::<Nodes>(index.nodes.unusable()))
        .chain(of::<Secrets>(index.secrets.unusable()))
        .chain(index.scaled.unusable().map(|(name, why)| (SCALED, name, why)))
}

/// Those of one kind.
fn of<'a, W: Watched>(
    objects: impl Iterator<Item = (&'a ObjectName, &'a Unusable)>,
) -> impl Iterator<Item = (&'static str, &'a ObjectName, &'a Unusable)> {
    objects.map(|(name, why)| (W::KIND, name, why))
}
