use super::*;

fn policy(name: &str, namespace: &str, version: u64, spec: &Value) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string()},
        "spec": spec,
    })
}

/// `a` asks for a policy in `data`, `b` for one in its own namespace, `c` for none.
fn world() -> World {
    let world = World::new();
    let asking = |link: Value| with(link, "/spec/networkPolicy", json!("Allow"));
    let elsewhere = json!({"kind": "Deployment", "name": "pg", "namespace": "data"});
    world.apply::<Links>(asking(link("a", "a", &elsewhere, 1)));
    world.apply::<Links>(asking(link("b", "b", &to("Deployment", "pg"), 2)));
    world.apply::<Links>(link("c", "c", &elsewhere, 3));
    world.heard();
    world
}

#[test]
fn a_policy_that_isolates_concerns_the_links_that_ask_for_one_there() {
    let world = world();
    world.apply::<Policies>(policy("deny", "data", 10, &json!({"podSelector": {}})));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Policies>(policy("deny", "data", 11, &json!({"podSelector": {}})));
    assert_eq!(world.heard(), names([]), "nothing but its resourceVersion changed");
    world.apply::<Policies>(policy(
        "deny",
        "data",
        12,
        &json!({"podSelector": {}, "policyTypes": ["Egress"]}),
    ));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Policies>(policy("deny", "shop", 13, &json!({"podSelector": {}})));
    assert_eq!(world.heard(), names(["b"]));
    world.delete::<Policies>(policy("deny", "shop", 14, &json!({"podSelector": {}})));
    assert_eq!(world.heard(), names(["b"]));
}

/// contract#egress-policy
#[test]
fn a_policy_that_isolates_for_egress_concerns_the_links_that_ask_for_one_with_a_source_there() {
    let world = world();
    let egress = json!({"podSelector": {}, "policyTypes": ["Egress"]});
    world.apply::<Policies>(policy("deny", "data", 10, &egress));
    assert_eq!(world.heard(), names([]), "no link has its source there");
    world.apply::<Policies>(policy("deny", "shop", 11, &egress));
    assert_eq!(
        world.heard(),
        names(["a", "b"]),
        "whichever namespace their targets are in"
    );
    let seen = |link: &str| {
        let key = crate::name::LinkKey::new("shop", link);
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let seen = world
            .cache
            .read(|index| crate::observe::observe(index, &key, now, "cluster.local", &[]));
        seen.unwrap()
    };
    world.apply::<Deployments>(
        json!({"metadata": meta("web", 12), "spec": {"selector": {"matchLabels": {"app": "web"}}}}),
    );
    assert_eq!(seen("a").egress.isolators.len(), 1);
    assert_eq!(seen("a").isolators.len(), 0, "it is not for ingress");
    assert_eq!(seen("c").egress.isolators.len(), 0, "it asks for no policy");
    let both = json!({"podSelector": {}, "policyTypes": ["Egress", "Ingress"]});
    world.heard();
    world.apply::<Policies>(policy("deny", "shop", 13, &both));
    assert_eq!(world.heard(), names(["a", "b"]));
    assert_eq!((seen("b").egress.isolators.len(), seen("b").isolators.len()), (1, 1));
}

/// contract#egress-policy
#[test]
fn a_pod_that_gets_or_loses_the_labels_of_a_source_concerns_its_links_that_ask_for_a_policy() {
    let world = world();
    world.apply::<Deployments>(
        json!({"metadata": meta("web", 6), "spec": {"selector": {"matchLabels": {"app": "web"}}}}),
    );
    world.heard();
    let apply = |app: &str, version| {
        let pod = json!({"metadata": meta("other", version), "spec": {}, "status": {}});
        world.apply::<Pods>(with(pod, "/metadata/labels", json!({"app": app})));
        world.heard()
    };
    assert_eq!(apply("other", 7), names([]));
    assert_eq!(apply("web", 8), names(["a", "b"]), "it gets them");
    assert_eq!(apply("web", 9), names([]), "nothing but its resourceVersion changed");
    let selected = world.cache.read(|index| {
        let key = crate::name::LinkKey::new("shop", "a");
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        crate::observe::observe(index, &key, now, "cluster.local", &[])
            .unwrap()
            .egress
            .selected
    });
    assert_eq!(
        selected.iter().map(|pod| pod.name.as_str()).collect::<Vec<_>>(),
        ["other"]
    );
    assert_eq!(apply("none", 10), names(["a", "b"]), "it loses them");
}

/// A policy with the marks of the link `a`.
fn of_a(namespace: &str, version: u64) -> Value {
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid"});
    let name = instancelink_core::child::names::policy("a", "a-uid");
    let policy = policy(&name, namespace, version, &json!({"podSelector": {}}));
    with(policy, "/metadata/labels", labels)
}

#[test]
fn a_policy_of_ours_concerns_its_link_and_isolates_no_pod() {
    let world = world();
    world.apply::<Policies>(of_a("data", 10));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(world.cache.read(|index| index.policies.isolators_in("data").count()), 0);
}

/// contract#policy-selects-target-pods-only
#[test]
fn a_pod_that_gets_or_loses_the_labels_of_a_target_concerns_the_links_that_ask_for_a_policy_there() {
    let world = world();
    let asking = |name: &str, target: Value, version| {
        let link = with(
            link(name, name, &target, version),
            "/spec/networkPolicy",
            json!("Allow"),
        );
        world.apply::<Links>(link);
    };
    asking("p", json!({"kind": "Pod", "name": "p1", "namespace": "data"}), 4);
    asking("s", json!({"kind": "Service", "name": "pg", "namespace": "data"}), 5);
    let in_data = |object: Value| with(object, "/metadata/namespace", json!("data"));
    let pod = |name: &str, labels: Value, version| {
        let pod = json!({"metadata": meta(name, version), "spec": {}, "status": {}});
        in_data(with(pod, "/metadata/labels", labels))
    };
    let selector = json!({"matchLabels": {"app": "pg"}});
    let pg = json!({"metadata": meta("pg", 6), "spec": {"selector": selector}});
    world.apply::<Deployments>(in_data(pg.clone()));
    world.apply::<Deployments>(pg);
    let service = json!({"metadata": meta("pg", 7), "spec": {"selector": {"app": "pg", "tier": "a"}}});
    world.apply::<Services>(in_data(service));
    world.apply::<Pods>(pod("p1", json!({"app": "pg", "tier": "b"}), 8));
    world.heard();

    let apply = |labels: Value, version| {
        world.apply::<Pods>(pod("other", labels, version));
        world.heard()
    };
    assert_eq!(apply(json!({"app": "web"}), 9), names([]));
    assert_eq!(apply(json!({"app": "pg"}), 10), names(["a"]), "it gets them");
    assert_eq!(
        apply(json!({"app": "pg"}), 11),
        names([]),
        "nothing but its resourceVersion changed"
    );
    assert_eq!(apply(json!({"app": "pg", "tier": "b"}), 12), names(["a", "p"]));
    let finished = with(
        pod("other", json!({"app": "pg", "tier": "b"}), 13),
        "/status/phase",
        json!("Succeeded"),
    );
    world.apply::<Pods>(finished);
    assert_eq!(world.heard(), names(["a", "p"]));
    assert_eq!(apply(json!({"app": "web"}), 14), names(["a", "p"]), "it loses them");
    assert_eq!(apply(json!({"app": "pg", "tier": "a"}), 15), names(["a", "s"]));
    world.delete::<Pods>(pod("other", json!({"app": "pg", "tier": "a"}), 16));
    assert_eq!(world.heard(), names(["a", "s"]));
    let here = json!({"metadata": meta("other", 17), "spec": {}, "status": {}});
    world.apply::<Pods>(with(here, "/metadata/labels", json!({"app": "pg"})));
    assert_eq!(world.heard(), names(["b"]), "in the namespace of its own target");
}

/// contract#policy-selects-target-pods-only
#[test]
fn a_snapshot_has_every_pod_that_the_policy_of_its_link_would_select() {
    let world = world();
    world
        .apply::<Deployments>(json!({"metadata": meta("pg", 6), "spec": {"selector": {"matchLabels": {"app": "pg"}}}}));
    for (name, app, version) in [("pg-0", "pg", 7), ("web-0", "web", 8)] {
        let pod = json!({"metadata": meta(name, version), "spec": {}, "status": {}});
        world.apply::<Pods>(with(pod, "/metadata/labels", json!({"app": app})));
    }
    let selected = |link: &str| -> Vec<String> {
        let key = crate::name::LinkKey::new("shop", link);
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let seen = world
            .cache
            .read(|index| crate::observe::observe(index, &key, now, "cluster.local", &[]));
        seen.unwrap().selected.iter().map(|pod| pod.name.clone()).collect()
    };
    assert_eq!(selected("b"), ["pg-0"]);
    let without = link("b", "b", &to("Deployment", "pg"), 20);
    world.apply::<Links>(without);
    assert_eq!(selected("b"), Vec::<String>::new(), "it asks for no policy");
}

/// contract#ownership
#[test]
fn a_users_policy_that_names_the_link_as_its_owner_is_foreign_and_isolates() {
    let world = world();
    let owner =
        json!([{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "b", "uid": "b-uid"}]);
    let theirs = policy("theirs", "shop", 10, &json!({"podSelector": {}}));
    world.apply::<Policies>(with(theirs, "/metadata/ownerReferences", owner));
    assert_eq!(
        world.heard(),
        names(["b"]),
        "it asks for a policy, and something isolates now"
    );
    assert_eq!(world.cache.read(|index| index.policies.isolators_in("shop").count()), 1);
}

/// lifecycle#no-wait-for-others
#[test]
fn a_policy_with_the_marks_of_a_link_where_the_link_has_no_target_is_left_to_the_sweep() {
    let world = world();
    world.apply::<Policies>(of_a("elsewhere", 10));
    let heard = world.all_heard();
    assert!(heard.links.is_empty(), "{heard:?}");
    assert_eq!(heard.orphans.len(), 1, "{heard:?}");
}
