//! The objects of each kind, and their lookups. Each kind has its own file.
//!
//! [`Index`] holds all of them behind one lock, because an event may change several indexes, and a pass needs a
//! consistent view of them.

pub(crate) mod compressed_kinds;
pub mod environments;
pub mod foreign_slices;
pub mod grants;
pub mod link_keys;
pub mod link_problems;
pub mod links;
pub mod mentions;
pub mod namesakes;
pub mod namespaces;
pub mod nodes;
pub(crate) mod owners;
pub mod pod_template;
pub mod pods;
pub mod policies;
pub mod scaled;
pub mod secrets;
pub mod services;
mod shared_children;
pub mod slices;
pub(crate) mod source_kind;
pub mod sources;
pub(crate) mod targets;
pub mod workloads;

use std::sync::Arc;

use instancelink_api::InstanceLink;

use crate::name::LinkKey;
use crate::store::compressed::Recent;
use crate::store::table::Table;
use environments::EnvironmentStore;
use foreign_slices::ForeignSliceStore;
use grants::GrantStore;
use links::LinkStore;
use namespaces::CachedNamespace;
use nodes::CachedNode;
use pods::PodStore;
use policies::PolicyStore;
use scaled::ScaledStore;
use secrets::SecretStore;
use services::ServiceStore;
use slices::SliceStore;
use workloads::WorkloadStore;

/// All kinds.
#[derive(Debug, Default)]
pub struct Index {
    /// InstanceLinks.
    pub links: LinkStore,
    /// Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs.
    pub workloads: WorkloadStore,
    /// Objects of kinds that are watched only because links name them.
    pub scaled: ScaledStore,
    /// Pods.
    pub pods: PodStore,
    /// Services.
    pub services: ServiceStore,
    /// EndpointSlices of links.
    pub slices: SliceStore,
    /// NetworkPolicies.
    pub policies: PolicyStore,
    /// EndpointSlices that others write.
    pub foreign_slices: ForeignSliceStore,
    /// Environments.
    pub environments: EnvironmentStore,
    /// Secrets of namespaces that need them.
    pub secrets: SecretStore,
    /// `InstanceLinkGrant`s.
    pub grants: GrantStore,
    /// `ReferenceGrant`s.
    pub reference_grants: GrantStore,
    /// Namespaces.
    pub namespaces: Table<CachedNamespace>,
    /// Nodes.
    pub nodes: Table<CachedNode>,
    /// Which objects are parsed.
    pub recent: Recent,
}

impl Index {
    /// A link, to work with.
    pub fn link(&self, key: &LinkKey) -> Option<Arc<InstanceLink>> {
        Some(self.links.table.get(key)?.object(&self.recent))
    }

    /// How many children of a link exist by which it claims its alias: slices, environments with an entry, Secrets.
    pub(crate) fn count_claims(&self, namespace: &Arc<str>, uid: &str) -> usize {
        let mention = (Arc::clone(namespace), uid.to_owned());
        self.slices.by_link.count(&mention)
            + self.environments.by_mention.count(&mention)
            + self.secrets.by_mention.count(&mention)
    }
}
