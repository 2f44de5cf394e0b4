//! What is found when the object that owned pods is gone: their endpoints, and the pods of a source.

use instancelink_core::snapshot::Snapshot;

use super::*;

fn owned(object: Value, kind: &str, owner: &str) -> Value {
    let owner = json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": format!("{owner}-uid"), "controller": true}]);
    with(object, "/metadata/ownerReferences", owner)
}

fn pod(name: &str, version: u64) -> Value {
    let status = json!({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}]});
    json!({"metadata": meta(name, version), "spec": {}, "status": status})
}

fn finished(pod: Value) -> Value {
    with(pod, "/status/phase", json!("Succeeded"))
}

fn set(name: &str, version: u64) -> Value {
    json!({"metadata": meta(name, version), "spec": {"selector": {"matchLabels": {"app": "pg"}}}})
}

/// A link that is active and was programmed for its target.
fn active(name: &str, target: &Value, version: u64) -> Value {
    let link = link(name, name, target, version);
    with(link, "/status", json!({"state": "active", "target": target}))
}

/// A slice of a link with this pod.
fn slice_with(link: &str, pod: &str, version: u64) -> Value {
    let target = json!({"kind": "Pod", "namespace": "shop", "name": pod, "uid": format!("{pod}-uid")});
    let labels =
        json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": format!("{link}-uid")});
    let slice = json!({"metadata": meta(&format!("{link}-v4"), version), "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "targetRef": target}]});
    with(slice, "/metadata/labels", labels)
}

fn snapshot(world: &World, name: &str) -> Snapshot {
    let key = ObjectName::new("shop", name);
    let observe = |index: &_| crate::observe::observe(index, &key, jiff::Timestamp::UNIX_EPOCH, "cluster.local", &[]);
    world.cache.read(observe).unwrap()
}

/// Links `a` to an object that is missing and with the pod `p` in a slice, and `b` without it.
fn with_endpoint(kind: &str) -> World {
    let world = World::new();
    world.apply::<Links>(active("a", &to(kind, "pg"), 1));
    world.apply::<Links>(active("b", &to(kind, "pg"), 2));
    world.apply::<Slices>(slice_with("a", "p", 3));
    world
}

/// contract#kept-endpoints
#[test]
fn a_pod_without_an_owner_concerns_the_links_that_have_it_as_an_endpoint() {
    let world = with_endpoint("StatefulSet");
    world.apply::<Pods>(pod("p", 10));
    world.apply::<Pods>(pod("other", 11));
    world.heard();
    world.apply::<Pods>(finished(pod("p", 12)));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Pods>(finished(pod("other", 13)));
    assert_eq!(world.heard(), names([]));
    // The owner takes the pod, whose link is not one to the owner.
    world.apply::<Pods>(pod("p", 14));
    world.heard();
    world.apply::<Pods>(owned(pod("p", 15), "DaemonSet", "thief"));
    assert_eq!(world.heard(), names(["a"]));
}

/// contract#kept-endpoints
#[test]
fn a_set_that_another_owner_takes_concerns_the_links_that_have_its_pods_as_endpoints() {
    let world = with_endpoint("Deployment");
    world.apply::<ReplicaSets>(set("pg-1", 10));
    world.apply::<Pods>(owned(pod("p", 11), "ReplicaSet", "pg-1"));
    world.heard();
    world.apply::<Pods>(owned(finished(pod("p", 12)), "ReplicaSet", "pg-1"));
    assert_eq!(world.heard(), names(["a"]), "nobody owns the set");
    world.apply::<ReplicaSets>(owned(set("pg-1", 13), "Deployment", "thief"));
    assert_eq!(world.heard(), names(["a"]));
}

/// contract#kept-endpoints
#[test]
fn a_pod_of_a_missing_service_concerns_the_links_that_have_it_as_an_endpoint() {
    let world = with_endpoint("Service");
    world.apply::<Pods>(owned(pod("p", 10), "StatefulSet", "any"));
    world.apply::<StatefulSets>(set("any", 11));
    world.heard();
    world.apply::<Pods>(owned(finished(pod("p", 12)), "StatefulSet", "any"));
    assert_eq!(world.heard(), names(["a"]));
}

/// contract#kept-endpoints
#[test]
fn the_pods_behind_the_links_own_slices_are_observed_for_the_target_that_these_were_written_for() {
    let world = with_endpoint("StatefulSet");
    world.apply::<Pods>(pod("p", 10));
    let kept = |name: &str| snapshot(&world, name).kept_pods.len();
    assert_eq!((kept("a"), kept("b")), (1, 0));
    world.apply::<StatefulSets>(set("pg", 11));
    let target = snapshot(&world, "a").target.unwrap();
    assert_eq!(target.candidates.iter().map(|c| c.is_kept).collect::<Vec<_>>(), [true]);
    world.apply::<Pods>(owned(pod("p", 12), "StatefulSet", "pg"));
    let target = snapshot(&world, "a").target.unwrap();
    assert_eq!(target.candidates.iter().map(|c| c.is_kept).collect::<Vec<_>>(), [false]);
    world.delete::<StatefulSets>(set("pg", 13));
    let turned = with(
        active("a", &to("StatefulSet", "pg"), 14),
        "/spec/targetInstanceRef",
        to("Pod", "x"),
    );
    world.apply::<Links>(turned);
    assert_eq!(kept("a"), 0);
}

/// contract#delayed-hold
#[test]
fn pods_of_a_source_that_is_gone_are_found_and_their_end_concerns_its_active_links() {
    let world = World::new();
    world.apply::<Links>(active("a", &to("Deployment", "pg"), 1));
    world.apply::<Links>(link("b", "b", &to("Deployment", "pg"), 2));
    world.apply::<Deployments>(set("web", 3));
    world.apply::<ReplicaSets>(owned(set("web-1", 4), "Deployment", "web"));
    world.apply::<Pods>(owned(pod("web-1-x", 5), "ReplicaSet", "web-1"));
    let runs = |name: &str| snapshot(&world, name).pods_of_former_source;
    assert!(!runs("a"), "the source exists");
    world.delete::<Deployments>(set("web", 6));
    assert_eq!((runs("a"), runs("b")), (true, false), "b is not up");
    world.delete::<ReplicaSets>(set("web-1", 7));
    assert!(runs("a"));
    world.heard();
    world.delete::<Pods>(owned(pod("web-1-x", 8), "ReplicaSet", "web-1"));
    assert_eq!(world.heard(), names(["a"]));
    assert!(!runs("a"));
}

/// contract#delayed-hold
#[test]
fn the_end_of_a_pod_whose_source_exists_concerns_no_link_of_the_source() {
    let world = World::new();
    world.apply::<Links>(active("a", &to("Deployment", "pg"), 1));
    world.apply::<Deployments>(set("web", 3));
    world.apply::<ReplicaSets>(owned(set("web-1", 4), "Deployment", "web"));
    world.apply::<Pods>(owned(pod("web-1-x", 5), "ReplicaSet", "web-1"));
    world.heard();
    world.delete::<Pods>(owned(pod("web-1-x", 8), "ReplicaSet", "web-1"));
    assert_eq!(world.heard(), names([]));
}
