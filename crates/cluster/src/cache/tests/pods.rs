use super::*;

fn owned(object: Value, kind: &str, owner: &str) -> Value {
    let owner = json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": format!("{owner}-uid"), "controller": true}]);
    with(object, "/metadata/ownerReferences", owner)
}

fn pod(name: &str, app: &str, address: &str, version: u64) -> Value {
    let pod = json!({
        "metadata": meta(name, version),
        "spec": {"nodeName": "n1", "containers": [{"ports": [{"name": "http", "containerPort": 80}]}]},
        "status": {"podIP": address, "podIPs": [{"ip": address}, {"ip": "fd00::1"}],
            "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}]},
    });
    with(pod, "/metadata/labels", json!({"app": app}))
}

#[test]
fn a_pod_leads_through_its_replica_set_to_links_to_the_deployment() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    world.apply::<ReplicaSets>(owned(
        json!({"metadata": meta("pg-1", 2), "spec": {}}),
        "Deployment",
        "pg",
    ));
    world.heard();
    world.apply::<Pods>(owned(pod("pg-1-x", "pg", "10.0.0.1", 3), "ReplicaSet", "pg-1"));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_heartbeat_of_a_pod_is_no_change() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("StatefulSet", "pg"), 1));
    world.apply::<Pods>(owned(pod("pg-0", "pg", "10.0.0.1", 3), "StatefulSet", "pg"));
    world.heard();
    world.apply::<Pods>(owned(pod("pg-0", "pg", "10.0.0.1", 4), "StatefulSet", "pg"));
    assert_eq!(world.heard(), names([]));
    world.apply::<Pods>(owned(pod("pg-0", "pg", "10.0.0.2", 5), "StatefulSet", "pg"));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_pod_that_leaves_a_services_selector_concerns_its_links_as_much_as_one_that_joins() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Service", "pg"), 1));
    world.apply::<Links>(link("b", "other", &to("Service", "other"), 2));
    for (name, version) in [("pg", 3), ("other", 4)] {
        world.apply::<Services>(json!({"metadata": meta(name, version), "spec": {"selector": {"app": name}}}));
    }
    world.heard();
    world.apply::<Pods>(pod("p", "pg", "10.0.0.1", 5));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Pods>(pod("p", "elsewhere", "10.0.0.1", 6));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Pods>(pod("p", "elsewhere", "10.0.0.2", 7));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn a_pod_is_reduced_to_one_address_a_family_and_its_ports() {
    let world = World::new();
    world.apply::<Pods>(pod("p", "pg", "10.0.0.1", 5));
    world.cache.read(|index| {
        let pod = index.pods.table.get(&ObjectName::new("shop", "p")).unwrap();
        let addresses: Vec<String> = pod.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.1", "fd00::1"]);
        assert_eq!(
            (pod.container_ports[0].name.as_str(), pod.container_ports[0].port),
            ("http", 80)
        );
        assert!(pod.ready && !pod.terminating && !pod.finished);
    });
}

#[test]
fn sidecars_declare_ports_too_and_other_init_containers_do_not() {
    let world = World::new();
    let init = json!([
        {"ports": [{"containerPort": 1}]},
        {"restartPolicy": "Always", "ports": [{"containerPort": 2}]},
    ]);
    world.apply::<Pods>(with(pod("p", "pg", "10.0.0.1", 5), "/spec/initContainers", init));
    world.cache.read(|index| {
        let pod = index.pods.table.get(&ObjectName::new("shop", "p")).unwrap();
        assert_eq!(pod.container_ports.iter().map(|p| p.port).collect::<Vec<_>>(), [80, 2]);
    });
}

#[test]
fn a_pod_of_a_stateful_set_concerns_the_links_to_what_has_the_set() {
    let world = World::new();
    world.apply::<Links>(link(
        "a",
        "db",
        &json!({"apiVersion": "example.com/v1", "kind": "Widget", "name": "pg"}),
        1,
    ));
    let owned = |object: Value, kind: &str, api: &str, name: &str| {
        let owner =
            json!([{"apiVersion": api, "kind": kind, "name": name, "uid": format!("{name}-uid"), "controller": true}]);
        with(object, "/metadata/ownerReferences", owner)
    };
    let set = owned(
        json!({"metadata": meta("pg-set", 2), "spec": {"selector": {}}}),
        "Widget",
        "example.com/v1",
        "pg",
    );
    world.apply::<StatefulSets>(set);
    assert_eq!(world.heard(), names(["a"]));
    let pod = json!({"metadata": meta("pg-set-0", 3), "spec": {}, "status": {}});
    world.apply::<Pods>(owned(pod, "StatefulSet", "apps/v1", "pg-set"));
    assert_eq!(world.heard(), names(["a"]));
}
