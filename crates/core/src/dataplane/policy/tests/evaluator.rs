//! Evaluates NetworkPolicies on a connection, as the API reference describes it: a replacement for a network plugin that does
//! not use the code under test.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};
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

/// The half of a connection that a policy closes or opens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Half {
    /// Of the pod that the connection comes from.
    Egress,
    /// Of the pod that it goes to.
    Ingress,
}

/// The peers and the ports of a rule.
type Rule<'a> = (Option<&'a [NetworkPolicyPeer]>, Option<&'a [NetworkPolicyPort]>);

impl Half {
    /// True if no policy isolates the pod of this half, or if one that does lets the connection through.
    pub(super) fn is_open(self, policies: &[NetworkPolicy], from: &Peer, to: &Peer, protocol: &str, port: i32) -> bool {
        let (pod, other) = match self {
            Self::Egress => (from, to),
            Self::Ingress => (to, from),
        };
        let mut isolating = policies
            .iter()
            .filter(|p| p.metadata.namespace.as_deref() == Some(pod.namespace.as_str()))
            .map(|p| p.spec.as_ref().unwrap())
            .filter(|spec| self.is_isolated_by(spec) && matches(spec.pod_selector.as_ref().unwrap(), &pod.labels))
            .peekable();
        if isolating.peek().is_none() {
            return true;
        }
        isolating.flat_map(|spec| self.rules_of(spec)).any(|(peers, ports)| {
            // Absent or empty means all peers, or all ports.
            let (peers, ports) = (peers.unwrap_or_default(), ports.unwrap_or_default());
            (peers.is_empty() || peers.iter().any(|peer| is_peer(peer, &pod.namespace, other)))
                && (ports.is_empty() || ports.iter().any(|p| is_port(p, to, protocol, port)))
        })
    }

    fn is_isolated_by(self, spec: &NetworkPolicySpec) -> bool {
        let named = |half| spec.policy_types.as_ref().map(|types| types.iter().any(|t| t == half));
        match self {
            Self::Egress => named("Egress").unwrap_or(spec.egress.iter().flatten().next().is_some()),
            Self::Ingress => named("Ingress").unwrap_or(true),
        }
    }

    fn rules_of(self, spec: &NetworkPolicySpec) -> Vec<Rule<'_>> {
        let (egress, ingress) = (spec.egress.iter().flatten(), spec.ingress.iter().flatten());
        match self {
            Self::Egress => egress.map(|r| (r.to.as_deref(), r.ports.as_deref())).collect(),
            Self::Ingress => ingress.map(|r| (r.from.as_deref(), r.ports.as_deref())).collect(),
        }
    }
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

fn peer(namespace: &str, app: &str) -> Peer {
    Peer {
        namespace: namespace.to_owned(),
        labels: [("app".to_owned(), app.to_owned())].into(),
        ports: BTreeMap::new(),
        owned: true,
    }
}

fn policy(yaml: &str) -> NetworkPolicy {
    serde_yaml_ng::from_str(yaml).unwrap()
}

#[test]
fn a_pod_that_no_policy_selects_is_open_and_a_selected_one_is_not() {
    let deny = policy("{metadata: {namespace: data}, spec: {podSelector: {matchLabels: {app: pg}}}}");
    let allow = policy(
        "{metadata: {namespace: data}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}}",
    );
    let (web, pg) = (peer("data", "web"), peer("data", "pg"));
    assert!(Half::Ingress.is_open(&[], &web, &pg, "TCP", 5432));
    assert!(!Half::Ingress.is_open(std::slice::from_ref(&deny), &web, &pg, "TCP", 5432));
    assert!(Half::Ingress.is_open(std::slice::from_ref(&deny), &pg, &web, "TCP", 5432));
    let both = [deny, allow];
    assert!(Half::Ingress.is_open(&both, &web, &pg, "TCP", 5432));
    assert!(!Half::Ingress.is_open(&both, &web, &pg, "UDP", 5432));
    assert!(!Half::Ingress.is_open(&both, &web, &pg, "TCP", 5433));
    assert!(
        !Half::Ingress.is_open(&both, &peer("shop", "web"), &pg, "TCP", 5432),
        "a peer without a namespace selector is in the policy's namespace"
    );
}

#[test]
fn a_pod_that_no_policy_isolates_for_egress_gets_out_and_an_isolated_one_where_a_policy_lets_it() {
    let ingress = policy("{metadata: {namespace: shop}, spec: {podSelector: {}}}");
    let deny = policy("{metadata: {namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress]}}");
    let allow = policy(
        "{metadata: {namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, egress: [{to: [{podSelector: {matchLabels: {app: pg}}}], ports: [{port: 80, endPort: 82}]}]}}",
    );
    let (web, pg, other) = (peer("shop", "web"), peer("shop", "pg"), peer("data", "pg"));
    assert!(
        Half::Egress.is_open(&[ingress], &web, &pg, "TCP", 80),
        "it is for ingress only"
    );
    assert!(!Half::Egress.is_open(std::slice::from_ref(&deny), &web, &pg, "TCP", 80));
    let both = [deny, allow];
    assert!(Half::Egress.is_open(&both, &web, &pg, "TCP", 82) && !Half::Egress.is_open(&both, &web, &pg, "TCP", 83));
    assert!(
        !Half::Egress.is_open(&both, &pg, &web, "TCP", 80),
        "it selects other pods"
    );
    assert!(
        !Half::Egress.is_open(&both, &web, &other, "TCP", 80),
        "in another namespace"
    );
}
