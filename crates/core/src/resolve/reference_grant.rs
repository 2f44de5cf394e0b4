//! Converts a `ReferenceGrant` of the Gateway API into a grant (contract#reference-grants).
//!
//! It permits less than an `InstanceLinkGrant`: groups and namespaces are always explicit, and it never permits a
//! `NetworkPolicy`. An entry with an unknown field permits nothing, because a field of a later version may restrict it.

use std::collections::BTreeSet;

use instancelink_api::grant::{GrantTo, Permission};
use instancelink_api::keys;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::snapshot::{Grant, Origin};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    from: Vec<Value>,
    #[serde(default)]
    to: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceFrom {
    group: String,
    kind: String,
    namespace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceTo {
    group: String,
    kind: String,
    name: Option<String>,
}

impl ReferenceFrom {
    fn is_about_links(&self) -> bool {
        self.group == keys::GROUP && self.kind == keys::KIND
    }
}

/// What a `ReferenceGrant` with this `spec` permits to links.
pub fn grant_of(meta: ObjectMeta, spec: Value) -> Grant {
    let spec: Spec = parsed(spec).unwrap_or_default();
    let from = spec
        .from
        .into_iter()
        .filter_map(parsed)
        .filter(ReferenceFrom::is_about_links);
    let to = spec.to.into_iter().filter_map(parsed);
    Grant {
        namespace: meta.namespace.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        terminating: meta.deletion_timestamp.is_some(),
        from: from.map(|from| Origin::Namespace(from.namespace)).collect(),
        to: to
            .map(|to: ReferenceTo| GrantTo {
                group: Some(to.group),
                kind: to.kind,
                name: to.name,
                ports: None,
            })
            .collect(),
        allow: BTreeSet::from([Permission::Endpoints]),
        // A controller of the Gateway API may write a status; this operator does not.
        generation: None,
        problem: None,
        accepted: None,
    }
}

fn parsed<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests;
