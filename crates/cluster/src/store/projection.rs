//! Objects of a watch, reduced while they are parsed: only the fields that links need are allocated. A pod is thirty
//! kilobytes in a response and a few hundred bytes here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::fields::Fields;
use super::lenient::Salvage;

/// An object of any kind, reduced to some metadata and to a spec and a status of our own types. The kind is given beside
/// it, so that the same code watches all kinds of one shape.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + Default, T: Deserialize<'de> + Default"))]
pub struct Projected<S, T> {
    /// Names, versions, labels, owners and the time of deletion.
    #[serde(deserialize_with = "some_metadata")]
    pub metadata: ObjectMeta,
    /// The fields of the spec that are read.
    #[serde(default)]
    pub spec: S,
    /// The fields of the status that are read.
    #[serde(default)]
    pub status: T,
}

/// An object of which only metadata is read.
pub type ProjectedMetadata = Projected<Ignored, Ignored>;

/// A status or spec that is not read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ignored {}

impl<S, T> Salvage for Projected<S, T>
where
    S: DeserializeOwned + Default,
    T: DeserializeOwned + Default,
{
    fn salvage(metadata: ObjectMeta, _: &Fields<'_>) -> Self {
        Self {
            metadata,
            spec: S::default(),
            status: T::default(),
        }
    }
}

impl<S, T> Resource for Projected<S, T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SomeMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<Time>,
}

fn some_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let meta = SomeMetadata::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        generation: meta.generation,
        labels: meta.labels,
        owner_references: meta.owner_references,
        deletion_timestamp: meta.deletion_timestamp,
        ..ObjectMeta::default()
    })
}
