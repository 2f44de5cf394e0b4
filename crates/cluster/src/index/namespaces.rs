//! Namespaces: whether they are being deleted, and the labels by which a grant may select them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::store::scale::Scale;
use crate::store::table::Item;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedNamespace {
    /// Its UID.
    pub uid: String,
    resource_version: String,
    /// It is being deleted.
    pub terminating: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl CachedNamespace {
    pub(crate) fn of(meta: ObjectMeta) -> Self {
        Self {
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            terminating: meta.deletion_timestamp.is_some(),
            labels: meta.labels.unwrap_or_default(),
        }
    }
}

impl Item for CachedNamespace {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add_map("metadata.labels", &self.labels);
    }
}
