use super::*;

fn grant(name: &str, namespace: &str, version: u64, from: &Value) -> Value {
    json!({
        "apiVersion": "instancelink.dev/v1alpha1",
        "kind": "InstanceLinkGrant",
        "metadata": {"namespace": namespace, "name": name, "uid": format!("{namespace}-{name}"),
            "resourceVersion": version.to_string()},
        "spec": {"from": [from], "to": [{"kind": "Deployment"}]},
    })
}

fn from_shop() -> Value {
    json!({"namespace": "shop"})
}

fn into(namespace: &str) -> Value {
    json!({"kind": "Deployment", "name": "pg", "namespace": namespace})
}

/// Link `a` leads into `data`, `b` spells its own namespace out, `c` names none.
fn world() -> World {
    let world = World::new();
    world.apply::<Links>(link("a", "a", &into("data"), 1));
    world.apply::<Links>(link("b", "b", &into("shop"), 2));
    world.apply::<Links>(link("c", "c", &to("Deployment", "pg"), 3));
    world.heard();
    world
}

fn granted(world: &World, namespace: &str) -> usize {
    world.cache.read(|index| index.grants.of(namespace).count())
}

#[test]
fn a_grant_given_changed_or_taken_back_concerns_the_links_that_lead_into_its_namespace() {
    let world = world();
    world.apply::<Grants>(grant("g", "data", 4, &from_shop()));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(granted(&world, "data"), 1);
    world.apply::<Grants>(grant("g", "data", 5, &json!({"namespace": "other"})));
    assert_eq!(world.heard(), names(["a"]));
    world.delete::<Grants>(grant("g", "data", 6, &from_shop()));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(granted(&world, "data"), 0);
}

#[test]
fn a_grant_that_is_being_deleted_concerns_them_at_once() {
    let world = world();
    world.apply::<Grants>(grant("g", "data", 4, &from_shop()));
    world.heard();
    let leaving = with(
        grant("g", "data", 5, &from_shop()),
        "/metadata/deletionTimestamp",
        json!("2026-01-01T00:00:00Z"),
    );
    world.apply::<Grants>(leaving);
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_grant_that_a_relist_does_not_show_is_taken_back() {
    let world = world();
    world.list::<Grants>(vec![grant("g", "data", 4, &from_shop())]);
    world.heard();
    world.list::<Grants>(vec![]);
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(granted(&world, "data"), 0);
}

/// contract#grant-status
#[test]
fn a_status_of_a_grant_concerns_no_link_and_the_grant_itself_is_looked_at() {
    let world = world();
    world.apply::<Grants>(grant("g", "data", 4, &from_shop()));
    world.heard();
    let accepted = json!({"conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
    world.apply::<Grants>(with(grant("g", "data", 5, &from_shop()), "/status", accepted));
    assert_eq!(world.heard(), names([]));
    let found = world
        .cache
        .read(|index| index.grants.of("data").next().cloned())
        .unwrap();
    assert_eq!(found.accepted.as_ref().unwrap().status, "True");
}

#[test]
fn a_grant_elsewhere_or_with_other_labels_concerns_no_link() {
    let world = world();
    world.apply::<Grants>(grant("g", "data", 4, &from_shop()));
    world.heard();
    world.apply::<Grants>(grant("g", "data", 5, &from_shop()));
    assert_eq!(world.heard(), names([]));
    world.apply::<Grants>(grant("g", "elsewhere", 6, &from_shop()));
    world.apply::<Grants>(grant("g", "shop", 7, &from_shop()));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn a_link_that_still_leads_into_a_namespace_its_spec_names_no_more_hears_of_it() {
    let world = world();
    let retargeted = with(
        link("a", "a", &to("Deployment", "pg"), 4),
        "/status",
        json!({"state": "updating-active", "target": into("data")}),
    );
    world.apply::<Links>(retargeted);
    world.heard();
    world.apply::<Grants>(grant("g", "data", 5, &from_shop()));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 6));
    world.heard();
    world.delete::<Grants>(grant("g", "data", 7, &from_shop()));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn new_labels_of_a_namespace_concern_its_links_that_lead_into_others() {
    let world = world();
    let namespace = |version: u64, labels: Value| json!({"metadata": {"name": "shop", "uid": "n", "resourceVersion": version.to_string(), "labels": labels}});
    world.apply::<Namespaces>(namespace(1, json!({})));
    assert_eq!(world.heard(), names(["a", "b", "c"]));
    world.apply::<Namespaces>(namespace(2, json!({"team": "a"})));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Namespaces>(namespace(3, json!({"team": "a"})));
    assert_eq!(world.heard(), names([]));
}
