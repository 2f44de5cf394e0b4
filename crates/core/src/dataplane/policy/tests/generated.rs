//! Over generated pods and policies, a link's policy allows exactly the connections that the link declares: it allows no
//! others, also not to pods that only have the labels of the target, and it denies none that were allowed before.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use proptest::prelude::*;

use super::evaluator::{Half, Peer, matches};
use super::{allowing, fixture};
use crate::child::{ChildSpec, Policy};
use crate::dataplane::build;
use crate::resolve::egress::isolates_egress;
use crate::resolve::isolation::isolates;
use crate::snapshot::{ContainerPort, Isolator, Pod, Service, ServicePort, Snapshot, TargetObject, Workload};

const NAMESPACES: [&str; 3] = ["shop", "data", "other"];
const PORTS: [i32; 5] = [80, 81, 5432, 6432, 9187];

/// The kind of the target.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Deployment,
    Service,
    Pod,
}

#[derive(Clone, Debug)]
struct Case {
    target_namespace: &'static str,
    source: LabelSelector,
    target: LabelSelector,
    by: Kind,
    link_ports: Vec<i32>,
    named: bool,
    peers: Vec<Peer>,
    others: Vec<NetworkPolicy>,
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = |values: &'static [&'static str]| prop::option::of(prop::sample::select(values));
    (value(&["web", "pg"]), value(&["a", "b"])).prop_map(|(app, tier)| {
        let pairs = [("app", app), ("tier", tier)];
        pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
            .collect()
    })
}

fn selector() -> impl Strategy<Value = LabelSelector> {
    let expression = prop::sample::select(vec![
        "",
        "{key: tier, operator: In, values: [a]}",
        "{key: tier, operator: NotIn, values: [a]}",
        "{key: tier, operator: Exists}",
        "{key: app, operator: DoesNotExist}",
    ]);
    (labels(), expression).prop_map(|(labels, expression)| LabelSelector {
        match_labels: Some(labels),
        match_expressions: Some(serde_yaml_ng::from_str(&format!("[{expression}]")).unwrap()),
    })
}

fn peer() -> impl Strategy<Value = Peer> {
    let named = prop::sample::select(PORTS.as_slice());
    let owned = prop::bool::weighted(0.8);
    let namespace = prop::sample::select(NAMESPACES.as_slice());
    (namespace, labels(), named, owned).prop_map(|(namespace, labels, port, owned)| Peer {
        namespace: namespace.to_owned(),
        labels,
        ports: [("sql".to_owned(), port)].into(),
        owned,
    })
}

fn other() -> impl Strategy<Value = NetworkPolicy> {
    let types = prop::sample::select(vec![
        "",
        "policyTypes: [Ingress],",
        "policyTypes: [Egress],",
        "policyTypes: [Ingress, Egress],",
    ]);
    let rules = prop::sample::select(vec![
        "",
        "ingress: [{ports: [{port: 9187}]}],",
        "ingress: [{from: [{podSelector: {}}]}],",
        "egress: [{ports: [{port: 9187}]}],",
        "egress: [{to: [{podSelector: {}}]}],",
    ]);
    let namespaces = prop::sample::select(NAMESPACES.as_slice());
    (
        namespaces,
        prop_oneof![Just(LabelSelector::default()), selector()],
        types,
        rules,
    )
        .prop_map(|(namespace, pods, types, rules)| {
            let pods = serde_json::to_string(&pods).unwrap();
            let yaml = format!(
                "{{metadata: {{namespace: {namespace}, name: p}}, spec: {{{types} {rules} podSelector: {pods}}}}}"
            );
            serde_yaml_ng::from_str(&yaml).unwrap()
        })
}

fn case() -> impl Strategy<Value = Case> {
    let ports = prop::sample::subsequence(PORTS.to_vec(), 1..=3);
    (
        (
            prop::sample::select(&NAMESPACES[..2]),
            selector(),
            selector(),
            prop::sample::select(vec![Kind::Deployment, Kind::Service, Kind::Pod]),
            ports,
            any::<bool>(),
        ),
        prop::collection::vec(peer(), 2..6),
        prop::collection::vec(other(), 0..3),
    )
        .prop_map(
            |((target_namespace, source, target, by, link_ports, named), peers, others)| Case {
                target_namespace,
                source,
                target,
                by,
                link_ports,
                named,
                peers,
                others,
            },
        )
}

impl Case {
    /// The pod that is the target: the first of its namespace.
    fn target_pod(&self) -> Option<usize> {
        let mut pods = self.peers.iter().enumerate();
        let found = pods.find(|(_, peer)| peer.namespace == self.target_namespace);
        found.map(|(n, _)| n).filter(|_| self.by == Kind::Pod)
    }

    /// The target's selector. A Service selects by labels alone, and a Pod has labels.
    fn target(&self) -> LabelSelector {
        let by_labels = |labels| LabelSelector {
            match_labels: labels,
            match_expressions: None,
        };
        match self.by {
            Kind::Deployment => self.target.clone(),
            Kind::Service => by_labels(self.target.match_labels.clone()),
            Kind::Pod => by_labels(self.target_pod().map(|n| self.peers[n].labels.clone())),
        }
    }

    /// True for a pod of the target.
    fn is_own(&self, n: usize) -> bool {
        let is_owned = match self.by {
            Kind::Deployment => self.peers[n].owned,
            Kind::Service => true,
            Kind::Pod => self.target_pod() == Some(n),
        };
        is_owned && self.is_selected(&self.peers[n])
    }

    fn is_selected(&self, peer: &Peer) -> bool {
        peer.namespace == self.target_namespace && matches(&self.target(), &peer.labels)
    }

    fn is_named(&self) -> bool {
        self.by == Kind::Service && self.named
    }

    fn pod(&self, n: usize) -> Pod {
        let peer = &self.peers[n];
        Pod {
            namespace: peer.namespace.clone(),
            labels: peer.labels.clone(),
            container_ports: peer
                .ports
                .iter()
                .map(|(name, port)| container_port(name, *port))
                .collect(),
            ..fixture::pod(&format!("pg-{n}"), &format!("10.0.0.{}", n + 1))
        }
    }

    fn snapshot(&self) -> Snapshot {
        let all = 0..self.peers.len();
        let pods: Vec<Pod> = all.clone().filter(|n| self.is_own(*n)).map(|n| self.pod(n)).collect();
        let mut s = fixture::snapshot();
        let namespace = self.target_namespace.to_owned();
        s = match self.by {
            Kind::Service => {
                let selector = self.target().match_labels.unwrap_or_default();
                let service = Service {
                    namespace,
                    selector,
                    ports: self.service_ports(),
                    ..fixture::service()
                };
                s.with_target_service(service, pods)
            }
            Kind::Deployment => {
                let workload = Workload {
                    namespace,
                    selector: self.target().into(),
                    ..fixture::deployment()
                };
                s.with_target(TargetObject::Workload(workload.into()), pods)
            }
            Kind::Pod => match self.target_pod() {
                None => s.without_target(),
                Some(n) => s
                    .edited(|spec| {
                        let reference = spec.target_instance_ref.as_mut().unwrap();
                        "Pod".clone_into(&mut reference.kind);
                        reference.name = format!("pg-{n}");
                    })
                    .with_target(TargetObject::Pod(self.pod(n).into()), pods),
            },
        };
        let selected = all.filter(|n| self.is_selected(&self.peers[*n]));
        s.selected = selected.map(|n| self.pod(n).into()).collect();
        s = allowing(s).edited(|spec| {
            spec.target_instance_ref.as_mut().unwrap().namespace = Some(self.target_namespace.to_owned());
            let port = |port: &i32| format!("{{name: p{port}, port: {port}}}");
            let ports: Vec<String> = self.link_ports.iter().map(port).collect();
            let declared = serde_yaml_ng::from_str(&format!("[{}]", ports.join(","))).unwrap();
            spec.ports = Some(declared).filter(|_| !self.is_named());
        });
        let to = "[{kind: Deployment}, {kind: Service}, {kind: Pod}]";
        s = s.granted_by(
            self.target_namespace,
            &format!("{{from: [{{namespace: shop}}], to: {to}, allow: [Endpoints, NetworkPolicy]}}"),
        );
        s.source.as_mut().unwrap().pods = self.source.clone().into();
        s.isolators = self.isolators(isolates);
        s.egress.isolators = self.isolators(isolates_egress);
        s.egress.isolators.retain(|p| p.namespace == "shop");
        let here = (0..self.peers.len()).filter(|n| self.is_of_source(&self.peers[*n]));
        s.egress.selected = here.map(|n| self.pod(n).into()).collect();
        s
    }

    /// The policies of others that isolate, as the snapshot has them.
    fn isolators(&self, isolates: fn(&NetworkPolicySpec) -> bool) -> Vec<Arc<Isolator>> {
        let isolating = self.others.iter().filter(|p| isolates(p.spec.as_ref().unwrap()));
        let isolator = |p: &NetworkPolicy| Isolator {
            namespace: p.metadata.namespace.clone().unwrap(),
            name: "p".to_owned(),
            pods: p.spec.as_ref().unwrap().pod_selector.clone().unwrap().into(),
        };
        isolating.map(|p| isolator(p).into()).collect()
    }

    fn is_of_source(&self, peer: &Peer) -> bool {
        peer.namespace == "shop" && matches(&self.source, &peer.labels)
    }

    fn service_ports(&self) -> Vec<ServicePort> {
        if !self.is_named() {
            let port = |port: &i32| fixture::service_port(&format!("p{port}"), u16::try_from(*port).unwrap());
            return self.link_ports.iter().map(port).collect();
        }
        vec![ServicePort {
            target_port: Some(serde_yaml_ng::from_str("sql").unwrap()),
            ..fixture::service_port("pg", 1234)
        }]
    }

    /// True if the link declares the connection: its source's pods, its target's pods, its ports.
    fn declares(&self, from: &Peer, to: usize, protocol: &str, port: i32) -> bool {
        let is_own = self.is_own(to);
        let to = &self.peers[to];
        let is_port = if self.is_named() {
            to.ports["sql"] == port
        } else {
            self.link_ports.contains(&port)
        };
        self.is_of_source(from) && is_own && protocol == "TCP" && is_port
    }
}

fn container_port(name: &str, port: i32) -> ContainerPort {
    fixture::container_port(name, u16::try_from(port).unwrap())
}

#[test]
fn the_allowed_set_is_the_declared_set() {
    let (with_ingress, with_egress) = (Cell::new(0_u32), Cell::new(0_u32));
    let config = ProptestConfig {
        cases: 10_000,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&case(), |case| {
        let s = case.snapshot();
        let Ok(plan) = build(&s, &BTreeSet::new()) else {
            return Ok(()); // A policy that cannot be expressed is refused; other tests cover that.
        };
        with_ingress.set(with_ingress.get() + u32::from(plan.policy.is_some()));
        with_egress.set(with_egress.get() + u32::from(plan.egress.is_some()));
        let mut policies = case.others.clone();
        policies.extend(plan.policies().map(ChildSpec::<Policy>::to_api));
        for from in &case.peers {
            for (n, to) in case.peers.iter().enumerate() {
                for (protocol, port) in PORTS.iter().flat_map(|port| [("TCP", *port), ("UDP", *port)]) {
                    let declared = case.declares(from, n, protocol, port);
                    let halves = [(Half::Ingress, &plan.policy), (Half::Egress, &plan.egress)];
                    for (half, policy) in halves {
                        let before = half.is_open(&case.others, from, to, protocol, port);
                        let after = half.is_open(&policies, from, to, protocol, port);
                        let what = || format!("{policy:?}: {from:?} to {to:?} {protocol} {port}");
                        prop_assert!(!before || after, "denied: {}", what());
                        prop_assert!(before || !after || declared, "allowed: {}", what());
                        prop_assert!(policy.is_none() || !declared || after, "not allowed: {}", what());
                    }
                }
            }
        }
        Ok(())
    });
    result.unwrap();
    for (half, count) in [("ingress", with_ingress.get()), ("egress", with_egress.get())] {
        assert!(count > 500, "only {count} cases had a policy for {half}");
    }
}
