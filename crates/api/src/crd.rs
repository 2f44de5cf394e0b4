//! The CRDs as they are applied: what the derive makes, and the few things that it cannot express.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;
use serde_json::json;

use crate::{InstanceLink, InstanceLinkGrant};

/// All CRDs, in the order in which they are printed.
pub fn all() -> [CustomResourceDefinition; 2] {
    [instance_link(), instance_link_grant()]
}

/// The CRD of `InstanceLink`, with the default `status`: a new link is `requested`, and no tool takes it for finished.
/// Without `observedGeneration` and `Ready` kstatus would call it current.
pub fn instance_link() -> CustomResourceDefinition {
    let mut crd = InstanceLink::crd();
    // By this label the servicebinding.io specification lets tools find what workloads may be bound to.
    let label = ("servicebinding.io/provisioned-service".to_owned(), "true".to_owned());
    crd.metadata.labels.get_or_insert_default().extend([label]);
    for version in &mut crd.spec.versions {
        let Some(schema) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) else {
            continue;
        };
        null_means_absent(schema);
        schema.description = Some(
            "InstanceLink makes a target instance known to a source instance under an alias. While the link is active, \
             <linkName>.<instance>-links.<namespace>.svc resolves to the target's ready endpoints."
                .to_owned(),
        );
        if let Some(status) = schema.properties.as_mut().and_then(|p| p.get_mut("status")) {
            status.default = Some(JSON(default_status()));
        }
    }
    crd
}

/// The CRD of `InstanceLinkGrant`.
pub fn instance_link_grant() -> CustomResourceDefinition {
    let mut crd = InstanceLinkGrant::crd();
    for version in &mut crd.spec.versions {
        let Some(schema) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) else {
            continue;
        };
        null_means_absent(schema);
        schema.description = Some(
            "InstanceLinkGrant is the consent of its namespace to links from other namespaces. Without a grant, no link of \
             another namespace can have an instance of this namespace as its target."
                .to_owned(),
        );
    }
    crd
}

/// What the API server writes into `status` of a new link.
pub fn default_status() -> serde_json::Value {
    json!({
        "state": "requested",
        "transitioning": "no",
        "observedGeneration": 0,
        "conditions": [{
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "no operator has written the status of this link yet. If that lasts, look at the operator's log: \
                        kubectl -n instancelink-system logs deployment/instancelink",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    })
}

/// The API server drops a null where the schema does not allow one, which makes `targetInstanceRef: null` the same as
/// leaving it out, for CEL's `has()` too.
fn null_means_absent(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema
        .properties
        .iter_mut()
        .flat_map(|p| p.values_mut())
        .for_each(null_means_absent);
    match schema.items.as_mut() {
        Some(JSONSchemaPropsOrArray::Schema(item)) => null_means_absent(item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(null_means_absent),
        None => {}
    }
}
