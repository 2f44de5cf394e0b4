//! Pods with readiness gates: which changes make the operator check their gates.

use super::*;

/// A pod of the ReplicaSet `web-1` with these readiness gates, and these conditions.
fn pod(name: &str, version: u64, gates: &[&str], conditions: &Value) -> Value {
    let gates: Vec<Value> = gates.iter().map(|gate| json!({"conditionType": gate})).collect();
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "web-1-uid", "controller": true}]);
    let pod = json!({
        "metadata": meta(name, version),
        "spec": {"readinessGates": gates, "containers": []},
        "status": {"conditions": conditions},
    });
    with(pod, "/metadata/ownerReferences", owner)
}

fn waiting(name: &str, version: u64) -> Value {
    pod(name, version, &["instancelink.dev/db"], &json!([]))
}

fn link_is(state: &str, version: u64) -> Value {
    with(
        link("a", "db", &to("Deployment", "pg"), version),
        "/status",
        json!({"state": state}),
    )
}

#[test]
fn only_pods_with_a_gate_for_a_link_are_kept_as_gated() {
    let world = World::new();
    world.apply::<Pods>(pod("plain", 1, &[], &json!([])));
    world.apply::<Pods>(pod("strange", 2, &["example.com/db", "db"], &json!([])));
    world.apply::<Links>(link_is("active", 3));
    assert_eq!(world.gated(), names([]));
    world.cache.read(|index| {
        assert_eq!(index.pods.gated.members().count(), 0);
        assert!(index.pods.table.iter().all(|(_, pod)| pod.gates.is_none()));
    });
}

#[test]
fn a_gate_is_kept_with_its_condition() {
    let world = World::new();
    let conditions = json!([
        {"type": "Ready", "status": "False"},
        {"type": "instancelink.dev/db", "status": "True", "reason": "R", "message": "M"},
    ]);
    let gates = ["instancelink.dev/db", "instancelink.dev/db", "instancelink.dev/cache"];
    world.apply::<Pods>(pod("p", 1, &gates, &conditions));
    world.cache.read(|index| {
        let pod = index.pods.table.get(&ObjectName::new("shop", "p")).unwrap();
        let [db, cache] = pod.gates.as_ref().unwrap().0.as_slice() else {
            panic!("{pod:?}")
        };
        let verdict = db.observed.as_ref().unwrap();
        assert_eq!(db.alias, "db");
        assert_eq!(
            (verdict.open, verdict.reason.as_str(), verdict.message.as_str()),
            (true, "R", "M")
        );
        assert_eq!((cache.alias.as_str(), cache.observed.as_ref()), ("cache", None));
    });
}

#[test]
fn a_pod_is_looked_at_when_it_is_created_and_when_its_gate_changes() {
    let world = World::new();
    world.apply::<Pods>(waiting("p", 1));
    assert_eq!(world.gated(), names(["p"]));
    world.apply::<Pods>(pod(
        "p",
        2,
        &["instancelink.dev/db"],
        &json!([{"type": "Ready", "status": "False"}]),
    ));
    assert_eq!(world.gated(), names([]), "only another condition changed");
    let forged = json!([{"type": "instancelink.dev/db", "status": "True"}]);
    world.apply::<Pods>(pod("p", 3, &["instancelink.dev/db"], &forged));
    assert_eq!(world.gated(), names(["p"]));
    world.delete::<Pods>(waiting("p", 4));
    assert_eq!(world.gated(), names([]));
    assert_eq!(world.cache.read(|index| index.pods.gated.members().count()), 0);
}

#[test]
fn a_link_that_changes_its_state_wakes_the_pods_that_wait_for_its_alias() {
    let world = World::new();
    world.apply::<Pods>(waiting("p", 1));
    world.apply::<Pods>(pod("other", 2, &["instancelink.dev/cache"], &json!([])));
    world.gated();
    world.apply::<Links>(link_is("activating", 3));
    assert_eq!(world.gated(), names(["p"]));
    world.apply::<Links>(with(link_is("activating", 4), "/metadata/labels", json!({"a": "b"})));
    assert_eq!(world.gated(), names([]));
    let available = json!([{"type": "Available", "status": "True", "reason": "EndpointsReady", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    world.apply::<Links>(with(link_is("activating", 5), "/status/conditions", available));
    assert_eq!(world.gated(), names(["p"]));
    world.delete::<Links>(link_is("active", 6));
    assert_eq!(world.gated(), names(["p"]));
}

#[test]
fn our_own_write_of_a_links_state_wakes_waiting_pods_with_the_echo_before_or_after_the_answer() {
    for echo_first in [false, true] {
        let world = World::new();
        world.apply::<Pods>(waiting("p", 1));
        world.apply::<Links>(link_is("activating", 2));
        world.gated();
        let in_flight = world.cache.begin::<Links>(ObjectName::new("shop", "a"));
        if echo_first {
            world.apply::<Links>(link_is("active", 3));
        }
        in_flight.answered(Links::reduce(typed(link_is("active", 3))));
        assert_eq!(world.gated(), names(["p"]), "echo first: {echo_first}");
    }
}

#[test]
fn a_replica_set_that_is_seen_after_its_pods_wakes_them() {
    let world = World::new();
    world.apply::<Pods>(waiting("p", 1));
    world.gated();
    world.apply::<ReplicaSets>(json!({"metadata": meta("web-1", 2), "spec": {}}));
    assert_eq!(world.gated(), names(["p"]));
    world.apply::<ReplicaSets>(json!({"metadata": meta("web-1", 3), "spec": {}, "status": {"replicas": 1}}));
    assert_eq!(world.gated(), names([]));
}
