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

#[test]
fn a_policy_of_ours_concerns_its_link_and_isolates_no_pod() {
    let world = world();
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid"});
    let ours = with(
        policy("a-1", "data", 10, &json!({"podSelector": {}})),
        "/metadata/labels",
        labels,
    );
    world.apply::<Policies>(ours);
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(world.cache.read(|index| index.policies.isolators_in("data").count()), 0);
}
