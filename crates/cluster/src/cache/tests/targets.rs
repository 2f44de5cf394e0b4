//! The pods of a target: what others write costs little, and does not count.

use instancelink_core::resolve::Unservable;
use instancelink_core::resolve::budget::{MOST_LOOKUPS, MOST_OF_EVENT};
use instancelink_core::resolve::endpoints::endpoint_groups;
use instancelink_core::resolve::lookups;
use instancelink_core::snapshot::Snapshot;
use serde_json::Map;

use super::*;

/// As many entries as the caches keep of a selector or of labels.
const ENTRIES: usize = 580;
const COSTLY_SERVICES: u64 = 100;
const PODS: u64 = 300;

fn snapshot(world: &World, name: &str) -> Snapshot {
    let key = ObjectName::new("shop", name);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let observe = |index: &_| crate::observe::observe(index, &key, now, "cluster.local", &[]);
    world.cache.read(observe).unwrap()
}

fn candidates(s: &Snapshot) -> Vec<String> {
    let target = s.target.as_ref().unwrap();
    let names = target.candidates.iter().map(|candidate| &candidate.pod);
    names.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect()
}

fn owned(mut object: Value, namespace: &str, kind: &str, owner: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": kind, "name": owner,
        "uid": format!("{owner}-uid"), "controller": true }]);
    object
}

fn pod(name: &str, version: u64) -> Value {
    let gates = json!([{ "conditionType": "instancelink.dev/db" }]);
    json!({ "metadata": meta(name, version), "spec": { "readinessGates": gates }, "status": {} })
}

fn set(name: &str, version: u64) -> Value {
    json!({ "metadata": meta(name, version), "spec": {} })
}

/// contract#endpoints-of-workloads, contract#bounded-work
#[test]
fn pods_and_sets_of_another_namespace_are_not_even_compared_with_a_target_whose_uid_they_have() {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 1));
    world.apply::<Deployments>(set("pg", 2));
    world.apply::<ReplicaSets>(owned(set("pg-1", 3), "shop", "Deployment", "pg"));
    world.apply::<Pods>(owned(pod("pg-1-x", 4), "shop", "ReplicaSet", "pg-1"));
    world.apply::<ReplicaSets>(owned(set("pg-2", 5), "evil", "Deployment", "pg"));
    for (n, (kind, owner)) in [("Deployment", "pg"), ("ReplicaSet", "pg-1"), ("ReplicaSet", "pg-2")]
        .into_iter()
        .enumerate()
    {
        let version = 6 + 10 * n as u64;
        for namespace in ["a-before", "evil", "z-behind"] {
            world.apply::<Pods>(owned(pod(&format!("forged-{n}"), version), namespace, kind, owner));
        }
        // Of the namespace, but controlled by a set of another one.
        let stray = owned(pod("stray", version), "shop", "ReplicaSet", "pg-2");
        world.apply::<Pods>(stray);
    }
    assert_eq!(candidates(&snapshot(&world, "a")), ["shop/pg-1-x"]);
    world.gated();
    let changed = with(
        set("pg-1", 40),
        "/spec/selector",
        json!({ "matchLabels": { "app": "pg" } }),
    );
    world.apply::<ReplicaSets>(owned(changed, "shop", "Deployment", "pg"));
    assert_eq!(world.gated(), names(["pg-1-x"]));
}

/// The labels that a selector of as many asks for, but for the last one.
fn almost(turn: u64) -> Value {
    let mut labels = entries();
    labels.insert("z".to_owned(), json!(turn.to_string()));
    Value::Object(labels)
}

fn entries() -> Map<String, Value> {
    let entries = (1..ENTRIES).map(|n| (format!("k{n}"), json!("v")));
    entries.collect()
}

fn costly_selector() -> Value {
    let mut selector = entries();
    selector.insert("z".to_owned(), json!("absent"));
    Value::Object(selector)
}

fn labelled(name: &str, version: u64, labels: Value) -> Value {
    let pod = json!({ "metadata": meta(name, version), "spec": {}, "status": {} });
    with(pod, "/metadata/labels", labels)
}

/// The attack of a tenant: the label of a pod changes again and again, in front of very many long selectors. Each event is taken in
/// under a lock, so the others wait.
///
/// Rule: contract#bounded-work.
#[test]
fn a_label_of_a_pod_that_changes_beside_many_long_selectors_costs_few_comparisons() {
    let world = World::new();
    let mut all = BTreeSet::new();
    for n in 0..COSTLY_SERVICES {
        let (service, policy) = (format!("s{n:03}"), format!("p{n:03}"));
        let spec = json!({ "clusterIP": "None", "selector": costly_selector() });
        world.apply::<Services>(json!({ "metadata": meta(&service, 1 + n), "spec": spec }));
        world.apply::<Links>(link(&service, &service, &to("Service", &service), 1 + n));
        let selector = json!({ "selector": { "matchLabels": costly_selector() } });
        world.apply::<Deployments>(json!({ "metadata": meta(&policy, 1 + n), "spec": selector }));
        let asking = link(&policy, &policy, &to("Deployment", &policy), 1000 + n);
        world.apply::<Links>(with(asking, "/spec/networkPolicy", json!("Allow")));
        all.extend([service, policy]);
    }
    world.apply::<Pods>(labelled("p", 1, almost(0)));
    world.heard();
    let before = lookups::made();
    for turn in 1..=20 {
        world.apply::<Pods>(labelled("p", 1 + turn, almost(turn)));
        let missed: Vec<String> = all.difference(&world.heard()).cloned().collect();
        let compared = 2 * MOST_OF_EVENT / (2 * ENTRIES);
        assert!(missed.len() <= compared, "what is not compared has a turn");
    }
    let each = (lookups::made() - before) / 20;
    // Once for Services and once for policies; each lookup compares a key and a value.
    assert!(each <= 4 * MOST_OF_EVENT as u64, "{each} comparisons");
}

/// contract#bounded-work
#[test]
fn pods_that_are_too_many_to_compare_are_compared_once_and_the_link_says_so() {
    let world = World::new();
    let spec = json!({ "clusterIP": "None", "selector": costly_selector(), "ports": [{ "name": "pg", "port": 5432 }] });
    world.apply::<Services>(json!({ "metadata": meta("pg", 1), "spec": spec }));
    let asking = with(
        link("a", "a", &to("Service", "pg"), 2),
        "/spec/networkPolicy",
        json!("Allow"),
    );
    world.apply::<Links>(asking);
    for n in 0..PODS {
        world.apply::<Pods>(labelled(&format!("p{n}"), 3 + n, almost(0)));
    }
    let before = lookups::made();
    let s = snapshot(&world, "a");
    let made = lookups::made() - before;
    assert!(made <= 2 * MOST_LOOKUPS as u64, "{made} comparisons");
    let Err(Unservable { reason, .. }) = endpoint_groups(&s) else {
        panic!()
    };
    assert_eq!(reason.as_str(), "TooCostly");
}
