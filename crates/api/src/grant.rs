//! `InstanceLinkGrant`: the consent of a namespace to links from other namespaces to instances in it.

#![allow(unreachable_pub)] // the derive repeats each struct in a private scope, where the lint cannot see its use

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::selector_schema;
use crate::spec::Protocol;

/// Consent of a namespace to links from other namespaces to instances in it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "instancelink.dev",
    version = "v1alpha1",
    kind = "InstanceLinkGrant",
    plural = "instancelinkgrants",
    shortname = "ilg",
    category = "links",
    namespaced,
    status = "InstanceLinkGrantStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name":"From","type":"string","jsonPath":".spec.from[*].namespace"}"#,
    printcolumn = r#"{"name":"Kinds","type":"string","jsonPath":".spec.to[*].kind"}"#,
    printcolumn = r#"{"name":"Names","type":"string","jsonPath":".spec.to[*].name"}"#,
    printcolumn = r#"{"name":"Allow","type":"string","jsonPath":".spec.allow[*]"}"#,
    printcolumn = r#"{"name":"Accepted","type":"string","jsonPath":".status.conditions[?(@.type==\"Accepted\")].status"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct InstanceLinkGrantSpec {
    /// The namespaces that links may come from. One match is enough.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    #[x_kube(
        validation = ("self.all(f, has(f.__namespace__) != has(f.namespaceSelector))", "each entry of from needs exactly one of namespace and namespaceSelector; write e.g. namespace: shop"),
        validation = ("self.all(f, !has(f.__namespace__) || f.__namespace__.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))", "from.namespace must be the name of a namespace: lower-case letters, digits and '-'; for all of them write namespaceSelector: {}"),
    )]
    pub from: Vec<GrantFrom>,

    /// The instances in this namespace that links may have as their target. One match is enough.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    #[x_kube(
        validation = ("self.all(t, has(t.group) || t.kind in ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod', 'Service'])", "to.group is optional only for Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod and Service; for another kind write its group"),
    )]
    pub to: Vec<GrantTo>,

    /// What the operator may do in this namespace for such a link.
    #[serde(default = "endpoints_only")]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub allow: Vec<Permission>,
}

fn endpoints_only() -> Vec<Permission> {
    vec![Permission::Endpoints]
}

/// One namespace by its name, or all namespaces that a selector selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct GrantFrom {
    /// Name of a namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Selects namespaces by their labels. An empty selector selects all namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "selector_schema::of_namespaces")]
    pub namespace_selector: Option<LabelSelector>,
}

/// All instances of a kind, or one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct GrantTo {
    /// API group of the kind, `""` for the core group. Optional for Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod and
    /// Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub group: Option<String>,
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet, Pod, Service, or another kind with a scale subresource.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name of the instance. If unset, all instances of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// The ports that links may have. If unset, all ports. A link that lists no ports has all ports of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub ports: Option<Vec<GrantPort>>,
}

/// A port of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct GrantPort {
    /// Number of the port, 1 to 65535, or its name where a link names it in targetPort.
    // By schema and not by CEL, as `targetPort` of a link.
    #[schemars(extend("minimum" = 1, "maximum" = 65535, "maxLength" = 15, "pattern" = "^([0-9]+-)*[0-9]*[a-z](-?[a-z0-9])*$"))]
    pub port: IntOrString,
    /// Protocol of the port. If unset, TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// What the operator says of a grant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceLinkGrantStatus {
    /// Accepted: whether all entries of the spec can consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// What the operator may do for a link from another namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Permission {
    /// Let the alias resolve to the endpoints of the instance.
    Endpoints,
    /// Write a NetworkPolicy in this namespace that lets the source's pods connect.
    NetworkPolicy,
}
