//! The half of the source: a policy for egress, only behind a source that policies of others isolate for egress, and only to
//! the pods of the target.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::Addressing;
use instancelink_api::condition::Reason;
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{allowing, isolated, isolated_by, selector};
use crate::child::Policy;
use crate::dataplane::{Teardown, bring_up, build, is_up, problems, prune, take_down, why_deleted};
use crate::fixture::{self, pod, shown};
use crate::snapshot::{Isolator, Pod, Snapshot};

const BOTH: &str = "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}";

/// Policies of others isolate these pods of the link's namespace for egress.
fn cut_off(mut s: Snapshot, pods: &str) -> Snapshot {
    s.egress.isolators.push(Arc::new(Isolator {
        namespace: "shop".to_owned(),
        name: "deny-egress".to_owned(),
        pods: selector(pods),
    }));
    s
}

/// A link whose source is cut off, in front of an open target.
fn behind_a_deny() -> Snapshot {
    cut_off(allowing(fixture::snapshot()), "{}")
}

fn elsewhere() -> Snapshot {
    cut_off(allowing(fixture::snapshot().with_target_in("data")), "{}").granted_by("data", BOTH)
}

fn written(s: &Snapshot) -> Vec<String> {
    let plan = build(s, &BTreeSet::new()).unwrap();
    plan.policies().map(|p| format!("{}/{}", p.namespace, p.name)).collect()
}

fn due(s: &Snapshot) -> Vec<String> {
    shown(&bring_up(s, &build(s, &BTreeSet::new()).unwrap()))
}

fn deletions(effects: &[crate::effect::Effect]) -> Vec<String> {
    let mut all = shown(effects);
    all.retain(|effect| effect.starts_with("delete NetworkPolicy "));
    all
}

/// contract#egress-policy
#[test]
fn the_policy_lets_the_sources_pods_out_to_the_targets_pods_on_the_links_ports_and_nowhere_else() {
    let s = elsewhere();
    let plan = build(&s, &BTreeSet::new()).unwrap();
    assert_eq!(plan.policy, None, "nothing isolates the target");
    let yaml = serde_yaml_ng::to_string(&plan.egress.unwrap().to_api()).unwrap();
    assert_eq!(yaml.trim(), include_str!("../web-db-egress.yaml").trim());
}

/// contract#egress-policy
#[test]
fn each_half_is_written_where_policies_of_others_close_it_and_nowhere_else() {
    let open = allowing(fixture::snapshot());
    let (ingress, egress) = ("shop/web-db-7433f98c6d", "shop/web-db-7433f98c6d-egress");
    assert_eq!(written(&open), Vec::<String>::new());
    assert_eq!(written(&isolated(fixture::snapshot(), "shop")), [ingress]);
    assert_eq!(written(&cut_off(open.clone(), "{}")), [egress]);
    assert_eq!(
        written(&cut_off(isolated(fixture::snapshot(), "shop"), "{}")),
        [ingress, egress]
    );
    assert_eq!(
        written(&cut_off(open.clone(), "{matchLabels: {app: pg}}")),
        Vec::<String>::new()
    );
    let none = cut_off(fixture::snapshot(), "{}");
    assert_eq!(written(&none), Vec::<String>::new(), "the link asks for no policy");
    let partly = cut_off(isolated_by(open, "shop", "{matchLabels: {shard: one}}"), "{}");
    assert_eq!(written(&partly), [egress], "each half by itself");
}

/// contract#egress-policy
#[test]
fn no_policy_for_egress_is_written_that_would_isolate_a_pod() {
    let mut s = cut_off(allowing(fixture::snapshot()), "{matchLabels: {tier: inner}}");
    let web = |name: &str, tier: &str| Pod {
        labels: [("app", "web"), ("tier", tier)]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        ..pod(name, "10.0.0.20")
    };
    s.egress.selected = vec![Arc::new(web("web-0", "inner"))];
    assert_eq!(written(&s).len(), 1);
    s.egress.selected.push(Arc::new(web("web-1", "outer")));
    assert_eq!(written(&s), Vec::<String>::new());
}

/// contract#policy-selects-target-pods-only
#[test]
fn the_source_is_let_out_to_no_pod_that_only_has_the_labels_of_the_target() {
    let mut s = behind_a_deny();
    s.selected.push(Arc::new(Pod {
        controller: None,
        ..pod("exporter", "10.0.0.66")
    }));
    assert_eq!(written(&s), Vec::<String>::new());
    let refusal = problems(&s, &build(&s, &BTreeSet::new()).unwrap()).remove(0);
    assert_eq!(refusal.reason, Reason::SelectsOtherPods);
    assert!(refusal.message.contains("exporter"), "{}", refusal.message);
}

/// contract#egress-policy
#[test]
fn a_policy_for_egress_needs_the_consent_of_the_other_namespace_too() {
    let s = cut_off(allowing(fixture::snapshot().with_target_in("data")), "{}");
    let s = s.granted("data", "{kind: Deployment}");
    assert_eq!(written(&s), Vec::<String>::new());
    let message = &problems(&s, &build(&s, &BTreeSet::new()).unwrap()).remove(0).message;
    assert!(message.contains("allow: [Endpoints, NetworkPolicy]"), "{message}");
}

#[test]
fn without_consent_the_policy_for_egress_is_deleted_first() {
    let mut s = elsewhere().up();
    s.grants.clear();
    s.children.slices[0].object.annotations.clear();
    let endpoints = s.clone().granted("data", "{kind: Deployment}");
    assert_eq!(due(&endpoints), ["delete NetworkPolicy shop/web-db-7433f98c6d-egress"]);
    let Teardown::Act(effects) = take_down(&s, None) else {
        panic!()
    };
    assert_eq!(shown(&effects), ["delete NetworkPolicy shop/web-db-7433f98c6d-egress"]);
    let mut active = endpoints;
    active.link.object.status.get_or_insert_default().state = instancelink_api::State::Active;
    let key = active.children.policies[0].object.key(crate::child::Kind::Policy);
    assert_eq!(
        why_deleted(&active, build(&active, &BTreeSet::new()).ok().as_ref(), &key),
        "namespace data does not consent to policies"
    );
}

#[test]
fn a_link_is_up_when_both_policies_exist_and_down_when_neither_does() {
    let mut s = cut_off(isolated(fixture::snapshot(), "shop"), "{}");
    let first = due(&s);
    let created = first.iter().filter(|e| e.starts_with("create NetworkPolicy ")).count();
    assert_eq!(created, 2, "{first:?}");
    s = s.up();
    assert!(is_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    s.children.policies.remove(1);
    assert_eq!(due(&s), ["create NetworkPolicy shop/web-db-7433f98c6d-egress"]);
    let mut s = s.up();
    while let Teardown::Act(effects) = take_down(&s, None) {
        s.execute(&effects);
    }
    assert!(s.children.policies.is_empty(), "{:?}", s.children.policies);
}

/// The ways in which a policy for egress begins to reach what it must not reach.
fn reaching() -> [(&'static str, Snapshot); 5] {
    let up = behind_a_deny().up();
    let mut open = up.clone();
    open.egress.isolators.clear();
    let mut gone = up.clone();
    gone.target = None;
    let mut relabelled = up.clone();
    relabelled.source.as_mut().unwrap().pods = selector("{matchLabels: {app: web, tier: b}}");
    let mut shared = up.clone();
    shared.selected.push(Arc::new(Pod {
        controller: None,
        ..pod("exporter", "10.0.0.66")
    }));
    let mut moved = up;
    let crate::snapshot::TargetObject::Workload(workload) = &mut moved.target.as_mut().unwrap().object else {
        panic!()
    };
    Arc::make_mut(workload).selector = selector("{matchLabels: {app: pg, tier: b}}");
    [
        ("nothing else isolates the source", open),
        ("the target is gone", gone),
        ("the source selects other pods", relabelled),
        ("another pod has the labels of the target", shared),
        ("the target selects other pods", moved),
    ]
}

/// contract#policy-is-withdrawn
#[test]
fn a_policy_for_egress_is_withdrawn_while_no_plan_can_be_built_and_during_a_drain() {
    let unservable = |s: Snapshot| s.edited(|spec| spec.addressing = Addressing::ServiceIP);
    let up = behind_a_deny().up();
    assert_eq!(deletions(&prune(&unservable(up.clone()))), Vec::<String>::new());
    assert!(!matches!(take_down(&up, Some(600)), Teardown::Act(effects) if !deletions(&effects).is_empty()));
    for (why, s) in reaching() {
        assert_eq!(deletions(&prune(&unservable(s.clone()))).len(), 1, "{why}");
        let Teardown::Act(effects) = take_down(&s, Some(600)) else {
            panic!("{why}")
        };
        assert_eq!(deletions(&effects).len(), 1, "{why}");
    }
}

/// A link with both policies, whose target is gone and whose endpoints stay.
fn orphaned() -> Snapshot {
    let mut up = isolated_by(behind_a_deny(), "shop", "{}").up();
    up.link.object.status.get_or_insert_default().target = up.link.object.spec.target_instance_ref.clone();
    let free = |candidate: crate::snapshot::Candidate| crate::snapshot::Candidate {
        pod: Arc::new(Pod {
            controller: None,
            ..(*candidate.pod).clone()
        }),
        ..candidate
    };
    let mut orphaned = up.orphaned(free);
    orphaned.selected = orphaned.kept_pods.iter().map(|kept| Arc::clone(&kept.pod)).collect();
    orphaned
}

/// contract#kept-endpoints
#[test]
fn a_policy_that_stays_without_its_target_is_repaired_where_it_does_not_depend_on_the_target() {
    let open = |spec: &mut NetworkPolicySpec| {
        spec.policy_types = Some(vec!["Ingress".to_owned(), "Egress".to_owned()]);
        spec.egress
            .get_or_insert_default()
            .push(NetworkPolicyEgressRule::default());
        for rule in spec.ingress.iter_mut().flatten() {
            rule.from = None;
        }
    };
    let right = orphaned().children.policies;
    assert_eq!(right.len(), 2);
    for (i, right) in right.iter().enumerate() {
        let mut s = orphaned();
        let object = &mut s.children.policies[i].object;
        let mut spec = object.body.spec();
        open(&mut spec);
        object.body = Policy::from(&spec);
        object.labels.remove(instancelink_api::keys::MANAGED_BY);
        assert_eq!(due(&s), [format!("replace NetworkPolicy shop/{}", right.object.name)]);
        let repaired = s.up().children.policies;
        assert!(repaired.iter().any(|found| found.object == right.object));
    }
}

/// lifecycle#disputes
#[test]
fn a_policy_that_others_change_in_another_way_each_time_is_not_written_without_end() {
    let (mut s, mut writes) = (orphaned(), 0);
    for port in 1..40 {
        for found in &mut s.children.policies {
            let mut spec = found.object.body.spec();
            for rule in spec.ingress.iter_mut().flatten() {
                rule.from = None;
                for open in rule.ports.iter_mut().flatten() {
                    open.port = Some(IntOrString::Int(port));
                }
            }
            found.object.body = Policy::from(&spec);
            found.resource_version = (1000 * port).to_string();
        }
        s.begin_pass();
        let effects = bring_up(&s, &build(&s, &BTreeSet::new()).unwrap());
        writes += effects.len();
        s.execute(&effects);
    }
    assert!((1..=4).contains(&writes), "{writes}");
}

/// contract#kept-endpoints
#[test]
fn both_policies_stay_without_their_target_while_they_join_nothing_but_pods_that_stay() {
    let orphaned = orphaned();
    let (ingress, egress) = ("shop/web-db-7433f98c6d", "shop/web-db-7433f98c6d-egress");
    assert_eq!(written(&orphaned), [ingress, egress]);
    assert_eq!((due(&orphaned), deletions(&prune(&orphaned))), (vec![], vec![]));
    let mut source_is_open = orphaned.clone();
    source_is_open.egress.isolators.clear();
    let mut target_is_open = orphaned.clone();
    target_is_open.isolators.clear();
    let mut shared = orphaned.clone();
    shared.selected.push(Arc::new(Pod {
        controller: None,
        ..pod("exporter", "10.0.0.66")
    }));
    let mut relabelled = orphaned;
    relabelled.source.as_mut().unwrap().pods = selector("{matchLabels: {app: web, tier: b}}");
    for (why, s, stays) in [
        ("nothing else isolates the source", source_is_open, vec![ingress]),
        ("nothing else isolates the target", target_is_open, vec![egress]),
        ("the source selects other pods", relabelled, vec![ingress]),
        ("another pod has the labels of the target", shared, vec![]),
    ] {
        assert_eq!(written(&s), stays, "{why}");
    }
}
