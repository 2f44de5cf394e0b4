//! Evaluates NetworkPolicies on a connection, as the API reference describes it: a replacement for a network plugin that does
//! not use the code under test.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// A pod as a network plugin sees it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The names of its ports.
    pub(super) ports: BTreeMap<String, i32>,
    /// The target owns it, if the target is a workload.
    pub(super) owned: bool,
}

/// True if no policy isolates the first pod for egress, or if one that does lets the connection out.
pub(super) fn lets_out(policies: &[NetworkPolicy], from: &Peer, to: &Peer, protocol: &str, port: i32) -> bool {
    let isolating: Vec<&NetworkPolicy> = policies
        .iter()
        .filter(|p| p.metadata.namespace.as_deref() == Some(from.namespace.as_str()))
        .filter(|p| {
            let spec = p.spec.as_ref().unwrap();
            let is_egress = match &spec.policy_types {
                Some(types) => types.iter().any(|t| t == "Egress"),
                None => spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
            };
            is_egress && matches(spec.pod_selector.as_ref().unwrap(), &from.labels)
        })
        .collect();
    if isolating.is_empty() {
        return true;
    }
    isolating.iter().any(|policy| {
        let rules = policy.spec.as_ref().unwrap().egress.as_deref().unwrap_or_default();
        rules.iter().any(|rule| {
            let peers = rule.to.as_deref().unwrap_or_default();
            let ports = rule.ports.as_deref().unwrap_or_default();
            (peers.is_empty() || peers.iter().any(|peer| is_peer(peer, &from.namespace, to)))
                && (ports.is_empty() || ports.iter().any(|p| is_port(p, to, protocol, port)))
        })
    })
}

/// True if no policy isolates the second pod for ingress, or if one that does lets the connection in.
pub(super) fn allows(policies: &[NetworkPolicy], from: &Peer, to: &Peer, protocol: &str, port: i32) -> bool {
    let selecting: Vec<&NetworkPolicy> = policies
        .iter()
        .filter(|p| p.metadata.namespace.as_deref() == Some(to.namespace.as_str()))
        .filter(|p| {
            let spec = p.spec.as_ref().unwrap();
            let is_ingress = spec
                .policy_types
                .as_ref()
                .is_none_or(|t| t.iter().any(|t| t == "Ingress"));
            is_ingress && matches(spec.pod_selector.as_ref().unwrap(), &to.labels)
        })
        .collect();
    if selecting.is_empty() {
        return true;
    }
    selecting.iter().any(|policy| {
        let rules = policy.spec.as_ref().unwrap().ingress.as_deref().unwrap_or_default();
        rules.iter().any(|rule| {
            let peers = rule.from.as_deref().unwrap_or_default();
            let ports = rule.ports.as_deref().unwrap_or_default();
            // Absent or empty means all peers, or all ports.
            (peers.is_empty() || peers.iter().any(|peer| is_peer(peer, &to.namespace, from)))
                && (ports.is_empty() || ports.iter().any(|p| is_port(p, to, protocol, port)))
        })
    })
}

fn is_peer(peer: &NetworkPolicyPeer, policy_namespace: &str, pod: &Peer) -> bool {
    assert!(peer.ip_block.is_none(), "no case has one");
    let name = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), pod.namespace.clone())]);
    let in_namespace = match &peer.namespace_selector {
        Some(selector) => matches(selector, &name),
        None => pod.namespace == policy_namespace,
    };
    in_namespace
        && peer
            .pod_selector
            .as_ref()
            .is_none_or(|selector| matches(selector, &pod.labels))
}

fn is_port(desired: &NetworkPolicyPort, to: &Peer, protocol: &str, port: i32) -> bool {
    let number = match &desired.port {
        None => return desired.protocol.as_deref().unwrap_or("TCP") == protocol,
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => to.ports.get(name).copied(),
    };
    let is_in = |number: i32| (number..=desired.end_port.unwrap_or(number)).contains(&port);
    desired.protocol.as_deref().unwrap_or("TCP") == protocol && number.is_some_and(is_in)
}

pub(super) fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let pairs = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    pairs.clone().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.clone().all(|e| {
            let values = e.values.clone().unwrap_or_default();
            let value = labels.get(&e.key);
            match e.operator.as_str() {
                "In" => value.is_some_and(|v| values.contains(v)),
                "NotIn" => value.is_none_or(|v| !values.contains(v)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                other => panic!("no operator {other}"),
            }
        })
}

#[test]
fn a_pod_that_no_policy_selects_is_open_and_a_selected_one_is_not() {
    let peer = |namespace: &str, app: &str| Peer {
        namespace: namespace.to_owned(),
        labels: [("app".to_owned(), app.to_owned())].into(),
        ports: BTreeMap::new(),
        owned: true,
    };
    let policy = |yaml: &str| serde_yaml_ng::from_str::<NetworkPolicy>(yaml).unwrap();
    let deny = policy("{metadata: {namespace: data}, spec: {podSelector: {matchLabels: {app: pg}}}}");
    let allow = policy(
        "{metadata: {namespace: data}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}}",
    );
    let (web, pg) = (peer("data", "web"), peer("data", "pg"));
    assert!(allows(&[], &web, &pg, "TCP", 5432));
    assert!(!allows(std::slice::from_ref(&deny), &web, &pg, "TCP", 5432));
    assert!(allows(std::slice::from_ref(&deny), &pg, &web, "TCP", 5432));
    let both = [deny, allow];
    assert!(allows(&both, &web, &pg, "TCP", 5432));
    assert!(!allows(&both, &web, &pg, "UDP", 5432));
    assert!(!allows(&both, &web, &pg, "TCP", 5433));
    assert!(
        !allows(&both, &peer("shop", "web"), &pg, "TCP", 5432),
        "a peer without a namespace selector is in the policy's namespace"
    );
}

#[test]
fn a_pod_that_no_policy_isolates_for_egress_gets_out_and_an_isolated_one_where_a_policy_lets_it() {
    let peer = |namespace: &str, app: &str| Peer {
        namespace: namespace.to_owned(),
        labels: [("app".to_owned(), app.to_owned())].into(),
        ports: BTreeMap::new(),
        owned: true,
    };
    let policy = |yaml: &str| serde_yaml_ng::from_str::<NetworkPolicy>(yaml).unwrap();
    let ingress = policy("{metadata: {namespace: shop}, spec: {podSelector: {}}}");
    let deny = policy("{metadata: {namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress]}}");
    let allow = policy(
        "{metadata: {namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, egress: [{to: [{podSelector: {matchLabels: {app: pg}}}], ports: [{port: 80, endPort: 82}]}]}}",
    );
    let (web, pg, other) = (peer("shop", "web"), peer("shop", "pg"), peer("data", "pg"));
    assert!(lets_out(&[ingress], &web, &pg, "TCP", 80), "it is for ingress only");
    assert!(!lets_out(std::slice::from_ref(&deny), &web, &pg, "TCP", 80));
    let both = [deny, allow];
    assert!(lets_out(&both, &web, &pg, "TCP", 82) && !lets_out(&both, &web, &pg, "TCP", 83));
    assert!(!lets_out(&both, &pg, &web, "TCP", 80), "it selects other pods");
    assert!(!lets_out(&both, &web, &other, "TCP", 80), "in another namespace");
}
