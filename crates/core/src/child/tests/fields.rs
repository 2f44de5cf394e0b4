//! Each field of each kind of child, and what the operator does when another client changes it.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::dataplane::Body;

/// What the operator does about a field that another client has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// It sees the change and writes the child again.
    Repaired,
    /// It leaves the field: the field changes nothing for clients of the link, or another writer has it.
    Left,
}
use Verdict::{Left, Repaired};

/// Lists are replaced as a whole, addresses are immutable, and a field that goes gets its default.
const REPLACED: [&str; 5] = [
    "endpoints/",
    "ports/",
    "spec/clusterIP",
    "spec/internalTrafficPolicy",
    "spec/sessionAffinity",
];

/// The object after another client has set a field of what was sent.
fn altered<T: ChildKind>(sent: &ChildSpec<T>, pointer: &str, value: &Value) -> Value
where
    T::Api: Serialize,
{
    let mut api = serde_json::to_value(T::to_api(sent)).unwrap();
    let mut at = &mut api;
    for name in pointer.split('/') {
        at = match name.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[name.replace("~1", "/")],
        };
    }
    *at = value.clone();
    api
}

fn read<T: ChildKind>(api: Value) -> ChildSpec<T>
where
    T::Api: DeserializeOwned,
{
    T::from_api(serde_json::from_value(api).unwrap()).object
}

/// Checks the table of a kind: each verdict is true, and the patch that repairs a child leaves what is left.
fn check<T: Body>(sent: &ChildSpec<T>, table: &[(&str, &str, Verdict)])
where
    T::Api: Serialize + DeserializeOwned,
{
    for (pointer, value, verdict) in table {
        let value: Value = serde_yaml_ng::from_str(value).unwrap();
        let api = altered(sent, pointer, &value);
        let found: ChildSpec<T> = read(api.clone());
        let is_seen = !found.is_as(sent);
        let what = format!("{} {pointer}: {value}", T::KIND.as_str());
        assert_eq!(is_seen, *verdict == Repaired, "{what}");
        // What cannot be updated is deleted and created again.
        if !found.body.can_be_updated_to(&sent.body) {
            continue;
        }
        let patched = patched(&api, &found, sent);
        assert!(read::<T>(patched.clone()).is_as(sent), "{what}: {patched}");
        let is_replaced_as_a_part = REPLACED.iter().any(|parent| pointer.starts_with(parent));
        if *verdict == Left && !is_replaced_as_a_part {
            let pointer = format!("/{pointer}");
            assert_eq!(patched.pointer(&pointer), api.pointer(&pointer), "{what}: {patched}");
        }
    }
}

/// Checks that the table has each field of an API type.
fn has_all<A: schemars::JsonSchema>(parent: &str, table: &[(&str, &str, Verdict)]) {
    let schema = schemars::schema_for!(A);
    let fields = schema.get("properties").and_then(Value::as_object).unwrap();
    assert!(!fields.is_empty());
    for name in fields
        .keys()
        .filter(|name| !["apiVersion", "kind", "metadata"].contains(&name.as_str()))
    {
        let field = format!("{parent}{name}");
        let is_judged = |pointer: &str| pointer == field || pointer.starts_with(&format!("{field}/"));
        assert!(
            table.iter().any(|(pointer, ..)| is_judged(pointer)),
            "no verdict on {field}"
        );
    }
}

/// The metadata of each child. Other labels and annotations, finalizers and owners' flags belong to their writers.
const METADATA: [(&str, &str, Verdict); 15] = [
    ("metadata/labels", "{}", Repaired),
    ("metadata/labels/example", "x", Left),
    (
        "metadata/labels/service.kubernetes.io~1service-proxy-name",
        "x",
        Repaired,
    ),
    ("metadata/annotations", "{}", Repaired),
    ("metadata/annotations/example", "x", Left),
    (
        "metadata/annotations/service.kubernetes.io~1topology-mode",
        "Auto",
        Repaired,
    ),
    ("metadata/ownerReferences", "[]", Repaired),
    ("metadata/ownerReferences/0/uid", "x", Repaired),
    ("metadata/labels/instancelink.dev~1team", "x", Left),
    ("metadata/annotations/instancelink.dev~1team", "x", Left),
    ("metadata/ownerReferences/0/controller", "true", Left),
    ("metadata/ownerReferences/0/blockOwnerDeletion", "true", Left),
    ("metadata/finalizers", "[example.com/keep]", Left),
    ("metadata/generation", "7", Left),
    ("metadata/managedFields", "[]", Left),
];

/// The metadata of a shared child: it has no owner.
fn shared_metadata() -> Vec<(&'static str, &'static str, Verdict)> {
    let owner = "[{apiVersion: apps/v1, kind: Deployment, name: web, uid: x}]";
    let others = METADATA
        .iter()
        .filter(|(pointer, ..)| !pointer.starts_with("metadata/ownerReferences"));
    others
        .copied()
        .chain([("metadata/ownerReferences", owner, Repaired)])
        .collect()
}

/// The fields that no Service of a link sets.
const UNSET: [(&str, &str, Verdict); 15] = [
    ("spec/allocateLoadBalancerNodePorts", "true", Repaired),
    ("spec/externalIPs", "[192.0.2.1]", Repaired),
    ("spec/externalName", "example.com", Repaired),
    ("spec/externalTrafficPolicy", "Local", Repaired),
    ("spec/healthCheckNodePort", "30000", Repaired),
    ("spec/internalTrafficPolicy", "Local", Repaired),
    ("spec/loadBalancerClass", "example.com/class", Repaired),
    ("spec/loadBalancerIP", "192.0.2.1", Repaired),
    ("spec/loadBalancerSourceRanges", "[192.0.2.0/24]", Repaired),
    ("spec/publishNotReadyAddresses", "true", Repaired),
    ("spec/selector", "{app: web}", Repaired),
    ("spec/sessionAffinity", "ClientIP", Repaired),
    (
        "spec/sessionAffinityConfig",
        "{clientIP: {timeoutSeconds: 10}}",
        Repaired,
    ),
    ("spec/trafficDistribution", "PreferClose", Repaired),
    ("spec/type", "NodePort", Repaired),
];

/// contract#repair
#[test]
fn a_directory_is_repaired_in_each_field_that_matters() {
    let sent = by_virtual_ip().directories.remove(0).object;
    let own = [
        ("spec/clusterIP", "10.96.0.9", Repaired),
        // `clusterIP` says the same: the API server keeps the two equal.
        ("spec/clusterIPs", "[None]", Left),
        // They mean nothing for a Service whose slices have the addresses, and the API server sets them.
        ("spec/ipFamilies", "[IPv4]", Left),
        ("spec/ipFamilyPolicy", "SingleStack", Left),
        ("spec/ports", "[{port: 80}]", Repaired),
    ];
    let table: Vec<_> = shared_metadata().iter().chain(&UNSET).chain(&own).copied().collect();
    check(&sent, &table);
    has_all::<ServiceSpec>("spec/", &table);
    // As the API server returns what it was sent.
    check(&sent, &DEFAULTS);
}

/// contract#repair
#[test]
fn a_virtual_ip_is_repaired_in_each_field_that_matters() {
    let mut sent = by_virtual_ip().virtual_ips.remove(0).object;
    sent.body.addresses = vec!["10.96.0.9".parse().unwrap()];
    let own = [
        // Immutable: the operator keeps the addresses that it finds, and only another family is a change.
        ("spec/clusterIP", "10.96.0.10", Left),
        ("spec/clusterIP", "None", Repaired),
        ("spec/clusterIPs", "[10.96.0.9, 'fd00::9']", Repaired),
        ("spec/ipFamilies", "[IPv4]", Left),
        ("spec/ipFamilyPolicy", "SingleStack", Repaired),
        ("spec/ports", "[]", Repaired),
        ("spec/ports/0/appProtocol", "http", Repaired),
        ("spec/ports/0/name", "other", Repaired),
        ("spec/ports/0/nodePort", "30000", Repaired),
        ("spec/ports/0/port", "81", Repaired),
        ("spec/ports/0/protocol", "UDP", Repaired),
        ("spec/ports/0/targetPort", "81", Repaired),
    ];
    let table: Vec<_> = METADATA.iter().chain(&UNSET).chain(&own).copied().collect();
    check(&sent, &table);
    has_all::<ServiceSpec>("spec/", &table);
    has_all::<ServicePort>("spec/ports/0/", &table);
    check(&sent, &DEFAULTS);
}

/// What the API server adds to a Service of a link.
const DEFAULTS: [(&str, &str, Verdict); 5] = [
    ("spec/internalTrafficPolicy", "Cluster", Left),
    ("spec/sessionAffinity", "None", Left),
    ("spec/type", "ClusterIP", Left),
    ("spec/ipFamilies", "[IPv4, IPv6]", Left),
    ("status", "{loadBalancer: {}}", Left),
];

/// contract#repair
#[test]
fn a_slice_is_repaired_in_each_field_that_matters() {
    let sent = fixture::snapshot().up().children.slices.remove(0).object;
    let table = [
        // Immutable.
        ("addressType", "IPv6", Repaired),
        // Its addresses are names, also those that look like numbers.
        ("addressType", "FQDN", Repaired),
        ("endpoints", "[]", Repaired),
        ("endpoints/0/addresses", "[192.0.2.1]", Repaired),
        ("endpoints/0/addresses", "[10.0.0.10, 192.0.2.1]", Repaired),
        ("endpoints/0/conditions", "{ready: false}", Repaired),
        ("endpoints/0/conditions/serving", "false", Repaired),
        ("endpoints/0/conditions/terminating", "true", Repaired),
        ("endpoints/0/deprecatedTopology", "{zone: a}", Repaired),
        ("endpoints/0/hints", "{forZones: [{name: a}]}", Repaired),
        ("endpoints/0/hints", "{forNodes: [{name: a}]}", Repaired),
        ("endpoints/0/hostname", "other", Repaired),
        ("endpoints/0/nodeName", "other", Repaired),
        ("endpoints/0/targetRef", "null", Repaired),
        ("endpoints/0/targetRef/uid", "other", Repaired),
        // For people who read the slice.
        ("endpoints/0/targetRef/resourceVersion", "'7'", Left),
        ("endpoints/0/targetRef/fieldPath", "spec", Left),
        ("endpoints/0/zone", "other", Repaired),
        ("ports", "[]", Repaired),
        ("ports/0/appProtocol", "http", Repaired),
        ("ports/0/name", "other", Repaired),
        ("ports/0/port", "1", Repaired),
        ("ports/0/port", "null", Repaired),
        ("ports/0/protocol", "UDP", Repaired),
    ];
    check(&sent, &METADATA);
    check(&sent, &table);
    has_all::<EndpointSlice>("", &table);
    has_all::<Endpoint>("endpoints/0/", &table);
    has_all::<EndpointPort>("ports/0/", &table);
}

/// contract#repair
#[test]
fn an_environment_is_repaired_in_each_field_that_matters() {
    let sent = environment();
    let table = [
        ("data", "{}", Repaired),
        ("data/DB_PORT", "other", Repaired),
        // With the list of the operator's keys, the builder keeps it (contract#additions).
        ("data/OTHER", "x", Repaired),
        ("binaryData", "{OTHER: eA==}", Left),
        ("immutable", "true", Repaired),
        ("immutable", "false", Left),
    ];
    check(&sent, &shared_metadata());
    check(&sent, &table);
    has_all::<ConfigMap>("", &table);
}

/// contract#repair
#[test]
fn a_binding_is_repaired_in_each_field_that_matters() {
    let bound = fixture::snapshot()
        .edited(|spec| spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap());
    let sent = bound.up().children.bindings.remove(0).object;
    let table = [
        ("data", "{}", Repaired),
        ("data/host", "eA==", Repaired),
        ("data/other", "eA==", Repaired),
        ("immutable", "true", Repaired),
        ("immutable", "false", Left),
        // The API server never returns it: it is a way to write `data`.
        ("stringData", "{host: x}", Left),
        ("type", "Opaque", Repaired),
    ];
    check(&sent, &METADATA);
    check(&sent, &table);
    has_all::<Secret>("", &table);
}

/// contract#repair
#[test]
fn a_policy_is_repaired_in_each_field_that_matters() {
    let mut s =
        fixture::snapshot().edited(|spec| spec.network_policy = instancelink_api::spec::NetworkPolicyMode::Allow);
    s.isolators.push(std::sync::Arc::new(crate::snapshot::Isolator {
        namespace: fixture::NAMESPACE.to_owned(),
        name: "deny".to_owned(),
        pods: serde_yaml_ng::from_str("{}").unwrap(),
    }));
    let sent = s.up().children.policies.remove(0).object;
    let table = [
        ("spec/egress", "[{}]", Repaired),
        ("spec/ingress", "[{}]", Repaired),
        ("spec/ingress/0/from", "[]", Repaired),
        ("spec/ingress/0/from/0/ipBlock", "{cidr: 0.0.0.0/0}", Repaired),
        ("spec/ingress/0/from/0/namespaceSelector", "{}", Repaired),
        ("spec/ingress/0/from/0/podSelector", "{}", Repaired),
        ("spec/ingress/0/ports", "[]", Repaired),
        ("spec/ingress/0/ports/0/endPort", "65535", Repaired),
        ("spec/ingress/0/ports/0/port", "1", Repaired),
        ("spec/ingress/0/ports/0/protocol", "UDP", Repaired),
        ("spec/podSelector", "{}", Repaired),
        ("spec/policyTypes", "[Ingress, Egress]", Repaired),
    ];
    check(&sent, &METADATA);
    check(&sent, &table);
    has_all::<NetworkPolicySpec>("spec/", &table);
    has_all::<NetworkPolicy>("", &table);
}

#[test]
fn every_kind_has_a_table() {
    let tables: BTreeSet<&str> = ["Service", "EndpointSlice", "ConfigMap", "NetworkPolicy", "Secret"].into();
    assert_eq!(
        Kind::ALL.iter().map(|kind| kind.as_str()).collect::<BTreeSet<_>>(),
        tables
    );
}
