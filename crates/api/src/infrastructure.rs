//! `spec.infrastructure`: labels and annotations for the objects that the operator creates, as in the Gateway API.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::selector_schema::{KEY, KEY_MESSAGE, VALUE};

/// The most labels, and the most annotations.
pub const MOST: usize = 8;
/// The longest value of an annotation, in bytes.
pub const LONGEST: usize = 1024;

/// Labels and annotations for the objects that the operator creates for a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Infrastructure {
    /// Labels for each object that the operator creates for the link.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    pub labels: BTreeMap<String, String>,
    /// Annotations for each object that the operator creates for the link.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// Domains whose keys change what Kubernetes, kubectl or the operator do with an object.
const RESERVED: [&str; 8] = [
    "instancelink.dev",
    "kubernetes.io",
    "kubectl.kubernetes.io",
    "service.kubernetes.io",
    "service.alpha.kubernetes.io",
    "service.beta.kubernetes.io",
    "endpoints.kubernetes.io",
    "endpointslice.kubernetes.io",
];

/// True for a key that users may not set on an object of the operator.
pub fn is_reserved(key: &str) -> bool {
    let domain = key.split_once('/').map(|(domain, _)| domain);
    key == keys::MANAGED_BY || domain.is_some_and(|domain| RESERVED.contains(&domain))
}

/// What is wrong with a reserved key, and what to write instead.
pub fn reserved_message() -> String {
    format!(
        "{} and the keys of {} are reserved; write another key, e.g. example.com/team",
        keys::MANAGED_BY,
        RESERVED.join(", ")
    )
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    let values = json_schema!({ "type": "string", "maxLength": 63, "pattern": VALUE });
    entries(
        "Labels for each object that the operator creates for the link.",
        &values,
    )
}

fn annotations(_: &mut SchemaGenerator) -> Schema {
    let values = json_schema!({ "type": "string", "maxLength": LONGEST });
    entries(
        "Annotations for each object that the operator creates for the link.",
        &values,
    )
}

fn entries(description: &str, values: &Schema) -> Schema {
    let domains: Vec<String> = RESERVED.map(|domain| domain.replace('.', "[.]")).into();
    let own = keys::MANAGED_BY.replace('.', "[.]");
    let reserved = format!("^({own}$|({})/)", domains.join("|"));
    json_schema!({
        "type": "object",
        "description": description,
        "maxProperties": MOST,
        "additionalProperties": values,
        "x-kubernetes-validations": [
            { "rule": format!("self.all(k, k.matches('{KEY}'))"), "message": KEY_MESSAGE },
            { "rule": format!("self.all(k, !k.matches('{reserved}'))"), "message": reserved_message() },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_and_kubernetes_use_is_reserved_and_what_policies_demand_is_not() {
        for key in [
            keys::MANAGED_BY,
            keys::LINK_UID,
            keys::SERVICE_NAME,
            keys::SLICE_MANAGED_BY,
            keys::HEADLESS,
            keys::SERVICE_PROXY_NAME,
            keys::TOPOLOGY[0],
            "kubectl.kubernetes.io/last-applied-configuration",
        ] {
            assert!(is_reserved(key), "{key}");
        }
        for key in [
            "team",
            "app.kubernetes.io/name",
            "app.kubernetes.io/part-of",
            "example.com/kubernetes.io",
        ] {
            assert!(!is_reserved(key), "{key}");
        }
    }
}
