//! What the API server serves, beyond the built-in kinds: one request for all kinds that links name, however many they are.

use std::collections::BTreeMap;

use instancelink_core::resolve::imports::is_import;
use instancelink_core::snapshot::{ApiKind, Unlisted};
use kube::api::ApiResource;
use serde::Deserialize;

use crate::calls::{CallError, Calls};

/// The answer of the API server when it was asked last.
pub(super) struct Discovery {
    calls: Calls,
    versions: BTreeMap<String, Version>,
}

/// What is known of a kind.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// It can be watched.
    Served(ApiResource),
    /// A link cannot have an end of it.
    Not(Unlisted),
    /// The API server cannot reach the server that serves it.
    Unknown,
}

#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    metadata: Name,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize, PartialEq)]
struct Version {
    #[serde(rename = "version")]
    name: String,
    resources: Option<Vec<Resource>>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "resource")]
    plural: String,
    response_kind: Option<Kind>,
    #[serde(default)]
    scope: String,
    subresources: Option<Vec<Subresource>>,
}

#[derive(Deserialize, PartialEq)]
struct Kind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize, PartialEq)]
struct Subresource {
    subresource: String,
}

impl Resource {
    fn is(&self, kind: &ApiKind) -> bool {
        self.response_kind.as_ref().is_some_and(|own| own.kind == kind.kind)
    }
}

impl Discovery {
    /// Nothing is known yet.
    pub(super) fn new(calls: Calls) -> Self {
        Self {
            calls,
            versions: BTreeMap::new(),
        }
    }

    /// Asks the API server. True if its answer is another one than before.
    pub(super) async fn ask(&mut self) -> Result<bool, CallError> {
        let Groups { items } = self.calls.discover_all().await?;
        let versions = items.into_iter().flat_map(|group| {
            let name = group.metadata.name;
            let versions = group.versions.into_iter();
            versions.map(move |version| (format!("{name}/{}", version.name), version))
        });
        let versions = versions.collect();
        let changed = self.versions != versions;
        self.versions = versions;
        Ok(changed)
    }

    /// Forgets how a kind is served, because its objects were not found there.
    pub(super) fn forget(&mut self, kind: &ApiKind) {
        let resources = self
            .versions
            .get_mut(&*kind.api_version)
            .and_then(|version| version.resources.as_mut());
        if let Some(resources) = resources {
            resources.retain(|resource| !resource.is(kind));
        }
    }

    /// How a kind is served, or why a link cannot have an end of it.
    pub(super) fn find(&self, kind: &ApiKind) -> Found {
        let Some(version) = self.versions.get(&*kind.api_version) else {
            return Found::Not(Unlisted::NotServed);
        };
        let Some(found) = version.resources.iter().flatten().find(|resource| resource.is(kind)) else {
            return if version.freshness == "Stale" {
                Found::Unknown
            } else {
                Found::Not(Unlisted::NotServed)
            };
        };
        let mut subresources = found.subresources.iter().flatten();
        let has_scale = subresources.any(|s| s.subresource == "scale");
        if found.scope != "Namespaced" || !(has_scale || is_import(kind)) {
            return Found::Not(Unlisted::NotScalable);
        }
        let (group, version) = kind.group_version();
        Found::Served(ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: kind.api_version.to_string(),
            kind: kind.kind.to_string(),
            plural: found.plural.clone(),
        })
    }
}
