//! Everything the operator knows of the cluster, behind one lock: an event touches several indexes, and a pass must see
//! them agree.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use kube::Resource;
use serde::de::DeserializeOwned;

use super::affected::Affected;
use super::backoff;
use super::environments::EnvironmentStore;
use super::grants::GrantStore;
use super::links::LinkStore;
use super::mirrors::MirrorStore;
use super::places::Place;
use super::pods::PodStore;
use super::policies::PolicyStore;
use super::scaled::ScaledStore;
use super::secrets::SecretStore;
use super::services::ServiceStore;
use super::slices::SliceStore;
use super::table::{Change, Item, Table};
use super::workloads::{WorkloadStore, Workloads};

/// All caches.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) links: LinkStore,
    pub(crate) workloads: WorkloadStore,
    pub(crate) scaled: ScaledStore,
    pub(crate) pods: PodStore,
    pub(crate) services: ServiceStore,
    pub(crate) slices: SliceStore,
    pub(crate) policies: PolicyStore,
    pub(crate) mirrors: MirrorStore,
    pub(crate) environments: EnvironmentStore,
    pub(crate) secrets: SecretStore,
    pub(crate) grants: GrantStore,
    pub(crate) reference_grants: GrantStore,
    pub(crate) namespaces: Table<Place>,
    pub(crate) nodes: Table<Place>,
}

/// Whose change it is: our own writes must not make work for the link they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody else's, or one of ours that was not told from theirs.
    Others,
    /// The answer to a write of ours.
    Us,
}

/// A kind that is watched: how it is reduced, where it is kept, and which links a change is about.
pub(crate) trait Watched: Send + Sync + 'static {
    /// The object as it comes over the wire.
    type Raw: Resource + Clone + Debug + DeserializeOwned + Send + 'static;
    /// The object as it is kept.
    type Item: Item + Send + Sync + 'static;
    /// The API's name of the kind.
    const KIND: &'static str;
    /// A cluster may do without this kind: its watch ends where it is not served.
    const MAY_BE_ABSENT: bool = false;
    /// The longest that its watch is left alone after a failure.
    const LONGEST_BACKOFF: Duration = backoff::SECONDS;

    /// Reduces an object to what is kept of it.
    fn reduce(raw: Self::Raw) -> Self::Item;
    /// Where it is kept.
    fn table(index: &mut Index) -> &mut Table<Self::Item>;
    /// Where an object of this namespace is kept: a kind that is watched namespace by namespace has a table for each.
    fn table_in<'a>(index: &'a mut Index, _namespace: &str) -> &'a mut Table<Self::Item> {
        Self::table(index)
    }
    /// Brings the other indexes up to date, and says which links the change is about.
    fn changed(index: &mut Index, change: &Change<Self::Item>, who: Who, affected: &mut Affected);
}

pub(crate) type Deployments = Workloads<Deployment>;
pub(crate) type StatefulSets = Workloads<StatefulSet>;
pub(crate) type DaemonSets = Workloads<DaemonSet>;
pub(crate) type ReplicaSets = Workloads<ReplicaSet>;
