//! Children: the objects that make an alias work, as compact values that hold only what the operator writes.
//!
//! The builders in `dataplane` make a [`ChildSpec`]; the caches hold an [`Observed`] child. The child is correct exactly
//! when the two are equal. Each kind has a file with its body and both conversions (from and to the API's type).

mod binding;
mod directory;
mod entries;
mod environment;
pub(crate) mod infrastructure;
mod kind;
mod merge;
pub mod names;
mod patch;
mod policy;
mod recorded;
mod service;
mod slice;
mod target_labels;
mod virtual_ip;

use std::collections::BTreeMap;

use instancelink_api::keys;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::{Deserialize, Serialize};

use recorded::Recorded;

pub use binding::{Binding, Confidential, Entries};
pub use directory::Directory;
pub(crate) use entries::added;
pub use environment::{Environment, MOST_ENTRIES};
pub use infrastructure::{problem_of_key, problem_of_value, usable};
pub use kind::{ChildKind, Children, DesiredChild, Kind, ObservedChild};
pub use kind::{with_desired, with_kind, with_observed};
pub use merge::Merge;
pub use patch::{Delta, to_patch};
pub use policy::Policy;
pub use slice::{Endpoint, EndpointTarget, Family, Slice, SlicePort};
pub use virtual_ip::{VirtualIp, VirtualPort};

/// Names one child in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// An owner reference, without the two flags that the operator never sets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// `apiVersion` of the owner.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// The content of a child, as desired or as observed, reduced to the fields that the operator writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildSpec<T> {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels, reduced to the keys that the operator sets ([`is_our_label`], and those that it recorded).
    pub labels: BTreeMap<String, String>,
    /// Annotations, reduced to the keys that the operator sets ([`is_our_annotation`], and those that it recorded).
    pub annotations: BTreeMap<String, String>,
    /// Owner references, in the object's order.
    pub owners: Vec<Owner>,
    /// The fields that only this kind has.
    pub body: T,
}

/// A child that exists in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed<T> {
    /// UID: precondition of every replacement and deletion.
    pub uid: String,
    /// Resource version: the other precondition.
    pub resource_version: String,
    /// It has a deletion timestamp, and a finalizer keeps it.
    pub terminating: bool,
    /// When its deletion began, if the finalizer of another client keeps it.
    pub held_since: Option<Timestamp>,
    /// Its content.
    pub object: ChildSpec<T>,
}

impl<T> Observed<T> {
    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.object.labels.get(key).map(String::as_str)
    }

    /// True if the label says that the operator created it.
    pub fn is_managed(&self) -> bool {
        self.label(keys::MANAGED_BY) == Some(keys::MANAGER)
    }

    /// Reduces an API object's metadata; the file of the kind adds the body.
    pub(crate) fn of(meta: ObjectMeta, body: T) -> Self {
        let ObjectMeta {
            name,
            namespace,
            uid,
            resource_version,
            labels,
            annotations,
            owner_references,
            deletion_timestamp,
            finalizers,
            ..
        } = meta;
        // The operator sets no finalizer on a child, so that its own one comes from others, too.
        let is_held = finalizers.iter().flatten().any(|name| !is_of_kubernetes(name));
        let recorded = Recorded::of(annotations.as_ref());
        Self {
            uid: uid.unwrap_or_default(),
            resource_version: resource_version.unwrap_or_default(),
            terminating: deletion_timestamp.is_some(),
            held_since: deletion_timestamp.map(|since| since.0).filter(|_| is_held),
            object: ChildSpec {
                namespace: namespace.unwrap_or_default(),
                name: name.unwrap_or_default(),
                labels: labels
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(k, _)| is_our_label(k) || recorded.labels.contains(k))
                    .collect(),
                annotations: annotations
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(k, _)| is_our_annotation(k) || recorded.annotations.contains(k))
                    .collect(),
                owners: collect_exact(owner_references.unwrap_or_default().into_iter().map(owner_of)),
                body,
            },
        }
    }
}

/// True for a finalizer that the garbage collector removes.
pub(crate) fn is_of_kubernetes(finalizer: &str) -> bool {
    ["foregroundDeletion", "orphan"].contains(&finalizer)
}

/// Collects items into a list without spare capacity. `collect` can reuse the allocation of the list that the items
/// come from, and an endpoint of the API is many times as large as the endpoint that the operator keeps.
pub(crate) fn collect_exact<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let items: Box<[T]> = items.collect();
    items.into_vec()
}

impl<T> ChildSpec<T> {
    /// The metadata to send.
    pub(crate) fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            labels: Some(self.labels.clone()),
            annotations: (!self.annotations.is_empty()).then(|| self.annotations.clone()),
            owner_references: (!self.owners.is_empty()).then(|| self.owners.iter().map(reference_of).collect()),
            ..ObjectMeta::default()
        }
    }
}

/// True for the labels that the operator sets on children, and for one that changes what Kubernetes does with them. Only these
/// are compared.
pub fn is_our_label(key: &str) -> bool {
    matches!(
        key,
        keys::LINK_UID
            | keys::SOURCE_UID
            | keys::MANAGED_BY
            | keys::SLICE_MANAGED_BY
            | keys::SERVICE_NAME
            | keys::HEADLESS
            | keys::SERVICE_PROXY_NAME
    )
}

/// True for the annotations that the operator sets on children, and for those that change what Kubernetes does with them. Only
/// these are compared.
pub fn is_our_annotation(key: &str) -> bool {
    matches!(
        key,
        keys::LINK | keys::SOURCE | keys::ENTRIES | keys::INFRASTRUCTURE | keys::DRAIN_FROM
    ) || keys::TOPOLOGY.contains(&key)
}

fn owner_of(reference: OwnerReference) -> Owner {
    let OwnerReference {
        api_version,
        kind,
        name,
        uid,
        ..
    } = reference;
    Owner {
        api_version,
        kind,
        name,
        uid,
    }
}

/// `controller` and `blockOwnerDeletion` stay unset (lifecycle#owner-references): the operator owns nothing exclusively, and
/// needs no right on the owner's finalizers.
fn reference_of(owner: &Owner) -> OwnerReference {
    OwnerReference {
        api_version: owner.api_version.clone(),
        kind: owner.kind.clone(),
        name: owner.name.clone(),
        uid: owner.uid.clone(),
        block_owner_deletion: None,
        controller: None,
    }
}

#[cfg(test)]
mod tests;
