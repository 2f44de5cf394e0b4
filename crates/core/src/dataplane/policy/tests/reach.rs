//! A policy reaches the target's pods and no others, whatever labels others have, and whenever they get them.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::Addressing;
use instancelink_api::condition::Reason;

use super::{isolated, isolated_by, policies};
use crate::dataplane::{Teardown, bring_up, build, is_written, problems, prune, take_down};
use crate::fixture::{self, pod, shown};
use crate::snapshot::{Pod, Snapshot, TargetObject};

const BOTH: &str = "{from: [{namespace: shop}], to: [{kind: Deployment}, {kind: Pod}, {kind: Service}], allow: [Endpoints, NetworkPolicy]}";

/// A pod with the labels of the target that the target does not own.
fn stranger(name: &str) -> Pod {
    Pod {
        controller: None,
        ..pod(name, "10.0.0.66")
    }
}

fn selecting(mut s: Snapshot, pod: Pod) -> Snapshot {
    s.selected.push(Arc::new(pod));
    s
}

fn problem(s: &Snapshot) -> (Reason, String) {
    let refusal = problems(s, &build(s, &BTreeSet::new()).unwrap()).remove(0);
    (refusal.reason, refusal.message)
}

fn deletions(effects: &[crate::effect::Effect]) -> usize {
    let all = shown(effects);
    all.iter().filter(|e| e.starts_with("delete NetworkPolicy ")).count()
}

/// contract#policy-selects-target-pods-only
#[test]
fn no_policy_is_written_whose_labels_select_a_pod_that_is_not_the_targets() {
    let s = isolated(fixture::snapshot(), "shop");
    let own = selecting(s.clone(), pod("pg-0", "10.0.0.10"));
    assert_eq!(policies(&own).len(), 1, "a pod of the target is no stranger");
    let shared = selecting(s.clone(), stranger("exporter"));
    assert_eq!(policies(&shared), Vec::<String>::new());
    let (reason, message) = problem(&shared);
    assert_eq!(reason, Reason::SelectsOtherPods);
    assert!(message.contains("shop/pg: exporter."), "{message}");
    let unready = selecting(s.clone(), stranger("exporter").not_ready());
    assert_eq!(policies(&unready), Vec::<String>::new());
    let terminating = selecting(s.clone(), stranger("exporter").terminating());
    assert_eq!(policies(&terminating), Vec::<String>::new());
}

/// contract#additions
#[test]
fn a_policy_to_which_others_add_an_owner_is_written_and_one_that_they_change_is_not() {
    let mut s = isolated(fixture::snapshot(), "shop").up();
    let written = |s: &Snapshot| is_written(s, &build(s, &BTreeSet::new()).unwrap().policy.unwrap());
    assert!(written(&s));
    let theirs = fixture::owner("apps/v1", "Deployment", "web", "x");
    s.children.policies[0].object.owners.push(theirs);
    assert!(written(&s));
    let again = |s: &Snapshot| shown(&bring_up(s, &build(s, &BTreeSet::new()).unwrap()));
    assert_eq!(again(&s), [""; 0]);
    s.children.policies[0].object.owners.remove(0);
    assert!(!written(&s), "the link's own is lost");
}

/// contract#policy-selects-target-pods-only
#[test]
fn pods_that_a_policy_would_not_reach_do_not_matter() {
    let s = isolated(fixture::snapshot(), "shop");
    let finished = Pod {
        finished: true,
        ..stranger("backup")
    };
    let elsewhere = Pod {
        namespace: "data".to_owned(),
        ..stranger("exporter")
    };
    let unlabelled = Pod {
        labels: [].into(),
        ..stranger("exporter")
    };
    for other in [finished, elsewhere, unlabelled] {
        assert_eq!(policies(&selecting(s.clone(), other.clone())).len(), 1, "{other:?}");
    }
}

/// contract#policy-selects-target-pods-only
#[test]
fn consent_for_one_pod_opens_no_other_pod_with_its_labels() {
    let twin = stranger("p2");
    let s = fixture::snapshot()
        .with_target(TargetObject::Pod(Arc::new(stranger("p1"))), vec![stranger("p1")])
        .edited(|spec| {
            let reference = spec.target_instance_ref.as_mut().unwrap();
            "Pod".clone_into(&mut reference.kind);
            "p1".clone_into(&mut reference.name);
        });
    let s = isolated(s.with_target_in("data"), "data").granted_by("data", BOTH);
    assert_eq!(policies(&s).len(), 1);
    let twin = Pod {
        namespace: "data".to_owned(),
        labels: [("app", "pg"), ("tier", "b")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        ..twin
    };
    let s = selecting(s, twin);
    assert_eq!(policies(&s), Vec::<String>::new());
    assert!(problem(&s).1.contains("Pod data/p1: p2."), "{}", problem(&s).1);
}

/// All pods that the selector of a Service selects are its own.
#[test]
fn a_service_has_every_pod_that_it_selects() {
    let pods = vec![pod("pg-0", "10.0.0.10"), stranger("canary")];
    let s = isolated(
        fixture::snapshot().with_target_service(fixture::service(), pods.clone()),
        "shop",
    );
    let s = pods.into_iter().fold(s, selecting);
    assert_eq!(policies(&s).len(), 1);
}

/// A policy of ours closes also what still has connections.
#[test]
fn a_terminating_pod_of_the_target_must_be_isolated_too() {
    let mut old = pod("pg-0", "10.0.0.10").terminating();
    old.labels.insert("shard".to_owned(), "old".to_owned());
    let s = fixture::snapshot().with_target_deployment(vec![old, pod("pg-1", "10.0.0.11")]);
    let only_new = "{matchExpressions: [{key: shard, operator: DoesNotExist}]}";
    let s = s.edited(|spec| spec.network_policy = instancelink_api::spec::NetworkPolicyMode::Allow);
    assert_eq!(
        policies(&isolated_by(s.clone(), "shop", only_new)),
        Vec::<String>::new()
    );
    assert_eq!(policies(&isolated_by(s, "shop", "{}")).len(), 1);
}

#[test]
fn a_policy_is_withdrawn_when_another_pod_gets_the_labels_of_the_target() {
    let s = isolated(fixture::snapshot(), "shop").up();
    assert_eq!(bring_up(&s, &build(&s, &BTreeSet::new()).unwrap()), []);
    let s = selecting(s, stranger("exporter"));
    assert_eq!(deletions(&bring_up(&s, &build(&s, &BTreeSet::new()).unwrap())), 1);
}

/// The ways in which a policy of a link begins to reach what it must not reach.
fn reaching() -> [(&'static str, Snapshot); 4] {
    let up = isolated(fixture::snapshot(), "shop").up();
    let mut open = up.clone();
    open.isolators.clear();
    let mut gone = up.clone();
    gone.target = None;
    let relabelled = crate::snapshot::Workload {
        selector: serde_yaml_ng::from_str("{matchLabels: {app: pg, tier: b}}").unwrap(),
        ..fixture::deployment()
    };
    let mut moved = up.clone();
    moved.target.as_mut().unwrap().object = TargetObject::Workload(Arc::new(relabelled));
    [
        ("another pod has the labels", selecting(up, stranger("exporter"))),
        ("nothing else isolates the pods", open),
        ("the target is gone", gone),
        ("the target selects other pods", moved),
    ]
}

/// contract#policy-is-withdrawn
#[test]
fn a_policy_is_withdrawn_while_no_plan_can_be_built() {
    let unservable = |s: Snapshot| s.edited(|spec| spec.addressing = Addressing::ServiceIP);
    let up = isolated(fixture::snapshot(), "shop").up();
    assert_eq!(deletions(&prune(&unservable(up))), 0);
    for (why, s) in reaching() {
        assert_eq!(deletions(&prune(&unservable(s))), 1, "{why}");
    }
}

/// contract#policy-is-withdrawn
#[test]
fn a_policy_is_withdrawn_during_a_drain() {
    let draining = |mut s: Snapshot| loop {
        match take_down(&s, Some(600)) {
            Teardown::Act(effects) if deletions(&effects) > 0 => return deletions(&effects),
            Teardown::Act(effects) => s.execute(&effects),
            Teardown::Draining { .. } => return 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(draining(isolated(fixture::snapshot(), "shop").up()), 0);
    for (why, s) in reaching() {
        assert_eq!(draining(s), 1, "{why}");
    }
    let data = isolated(fixture::snapshot().with_target_in("data"), "data");
    let mut unconsented = data.granted_by("data", BOTH).up();
    unconsented.grants.clear();
    let unconsented = unconsented.granted("data", "{kind: Deployment}");
    assert_eq!(draining(unconsented), 1, "consent to endpoints alone is left");
}
