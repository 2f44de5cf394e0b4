//! Nodes: only their zone is kept.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::store::scale::Scale;
use crate::store::table::Item;

const ZONE: &str = "topology.kubernetes.io/zone";

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedNode {
    uid: String,
    resource_version: String,
    /// Its zone label.
    pub zone: Option<String>,
}

impl CachedNode {
    pub(crate) fn of(meta: ObjectMeta) -> Self {
        Self {
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            zone: meta.labels.and_then(|mut labels| labels.remove(ZONE)),
        }
    }
}

impl Item for CachedNode {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_list("metadata.labels", self.zone.as_deref().into_iter());
    }
}
