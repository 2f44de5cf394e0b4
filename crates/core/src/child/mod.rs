//! Children: the objects that make an alias work, as compact values that compare by what we say in them.
//!
//! Builders make [`Object`]s, caches hold [`Found`] ones; a child is right exactly when the two are equal. Each kind has
//! a file with its body and both conversions (from and to the API's own type).

mod directory;
mod environment;
mod slice;

use std::collections::BTreeMap;

use instancelink_api::keys;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

pub use directory::Directory;
pub use environment::Environment;
pub use slice::{Endpoint, EndpointTarget, Family, Slice, SlicePort};

/// The kinds of children the operator writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The directory: a headless Service, one per source.
    Directory,
    /// An EndpointSlice of one link.
    Slice,
    /// The environment ConfigMap, one per source.
    Environment,
}

impl Kind {
    /// The API's name of the kind, as messages show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "Service",
            Self::Slice => "EndpointSlice",
            Self::Environment => "ConfigMap",
        }
    }
}

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

/// An owner reference, without the two flags we never set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// A child as we want it, or as it stands in the cluster reduced to what we would say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<T> {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels, reduced to the keys we set ([`is_our_label`]).
    pub labels: BTreeMap<String, String>,
    /// Annotations, reduced to the keys we set ([`is_our_annotation`]).
    pub annotations: BTreeMap<String, String>,
    /// Owner references, in the order they stand.
    pub owners: Vec<Owner>,
    /// What is particular to the kind.
    pub body: T,
}

/// A child that stands in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// UID: precondition of every replacement and deletion.
    pub uid: String,
    /// Resource version: the other precondition.
    pub resource_version: String,
    /// Being deleted, and held by somebody's finalizer.
    pub terminating: bool,
    /// Its content, reduced to what we would say in it.
    pub object: Object<T>,
}

/// A child of any kind, as effects and answers carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draft {
    /// A directory.
    Directory(Object<Directory>),
    /// A slice.
    Slice(Object<Slice>),
    /// An environment.
    Environment(Object<Environment>),
}

/// A child of any kind that stands in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A directory, or a stranger's Service.
    Directory(Found<Directory>),
    /// A slice.
    Slice(Found<Slice>),
    /// An environment.
    Environment(Found<Environment>),
}

impl Draft {
    /// What it is called in the cluster.
    pub fn key(&self) -> Key {
        let (kind, namespace, name) = match self {
            Self::Directory(o) => (Kind::Directory, &o.namespace, &o.name),
            Self::Slice(o) => (Kind::Slice, &o.namespace, &o.name),
            Self::Environment(o) => (Kind::Environment, &o.namespace, &o.name),
        };
        Key {
            kind,
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }
}

impl Standing {
    /// What it is called in the cluster.
    pub fn key(&self) -> Key {
        let (kind, namespace, name) = match self {
            Self::Directory(f) => (Kind::Directory, &f.object.namespace, &f.object.name),
            Self::Slice(f) => (Kind::Slice, &f.object.namespace, &f.object.name),
            Self::Environment(f) => (Kind::Environment, &f.object.namespace, &f.object.name),
        };
        Key {
            kind,
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }

    /// UID and resource version: the preconditions of a write.
    pub fn version(&self) -> (&str, &str) {
        match self {
            Self::Directory(f) => (&f.uid, &f.resource_version),
            Self::Slice(f) => (&f.uid, &f.resource_version),
            Self::Environment(f) => (&f.uid, &f.resource_version),
        }
    }
}

impl<T> Found<T> {
    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.object.labels.get(key).map(String::as_str)
    }

    /// True where our label says that we made it.
    pub fn is_managed(&self) -> bool {
        self.label(keys::MANAGED_BY) == Some(keys::MANAGER)
    }

    /// Reduces an API object's metadata; the kind's own file adds the body.
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
            ..
        } = meta;
        Self {
            uid: uid.unwrap_or_default(),
            resource_version: resource_version.unwrap_or_default(),
            terminating: deletion_timestamp.is_some(),
            object: Object {
                namespace: namespace.unwrap_or_default(),
                name: name.unwrap_or_default(),
                labels: labels
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(k, _)| is_our_label(k))
                    .collect(),
                annotations: annotations
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(k, _)| is_our_annotation(k))
                    .collect(),
                owners: owner_references.unwrap_or_default().into_iter().map(owner_of).collect(),
                body,
            },
        }
    }
}

impl<T> Object<T> {
    /// The metadata to send. A replacement names the object it replaces.
    pub(crate) fn metadata(&self, replaces: Option<(&str, &str)>) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            uid: replaces.map(|(uid, _)| uid.to_owned()),
            resource_version: replaces.map(|(_, version)| version.to_owned()),
            labels: Some(self.labels.clone()),
            annotations: (!self.annotations.is_empty()).then(|| self.annotations.clone()),
            owner_references: (!self.owners.is_empty()).then(|| self.owners.iter().map(reference_of).collect()),
            ..ObjectMeta::default()
        }
    }
}

/// Labels that we set on children, and so compare.
pub fn is_our_label(key: &str) -> bool {
    key.starts_with("instancelink.dev/")
        || matches!(
            key,
            keys::MANAGED_BY | keys::SLICE_MANAGED_BY | keys::SERVICE_NAME | keys::HEADLESS
        )
}

/// Annotations that we set on children, and so compare.
pub fn is_our_annotation(key: &str) -> bool {
    key.starts_with("instancelink.dev/")
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

/// `controller` and `blockOwnerDeletion` stay unset: we own nothing exclusively, and need no right on the owner's
/// finalizers.
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
