use super::*;

#[test]
fn a_new_link_is_looked_at() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_status_that_others_wiped_is_noticed() {
    let world = World::new();
    let active = with(
        link("a", "db", &to("Deployment", "pg"), 1),
        "/status",
        json!({"state": "active"}),
    );
    world.apply::<Links>(active);
    world.heard();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 2));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_link_that_comes_to_rest_wakes_the_one_that_waits_for_its_alias_and_no_other() {
    let world = World::new();
    for (version, (name, alias)) in (1..).zip([("a", "db"), ("b", "db"), ("c", "cache")]) {
        world.apply::<Links>(link(name, alias, &to("Deployment", "pg"), version));
    }
    world.heard();
    let removed = with(
        link("a", "db", &to("Deployment", "pg"), 9),
        "/status",
        json!({"state": "removed"}),
    );
    world.apply::<Links>(removed);
    assert_eq!(world.heard(), names(["a", "b"]));
}

/// contract#infrastructure
#[test]
fn a_link_with_labels_that_is_cut_gives_one_other_link_of_its_source_a_turn() {
    let world = World::new();
    let labels = json!({"labels": {"team": "a"}});
    let put = |name: &str, state: &str, infrastructure: Option<&Value>, version| {
        let object = link(name, name, &to("Deployment", "pg"), version);
        let object = with(object, "/status", json!({"state": state}));
        match infrastructure {
            Some(value) => world.apply::<Links>(with(object, "/spec/infrastructure", value.clone())),
            None => world.apply::<Links>(object),
        }
    };
    put("a", "active", Some(&labels), 1);
    put("b", "inactive", None, 2);
    put("c", "active", None, 3);
    put("d", "active", None, 4);
    world.heard();
    put("a", "deactivating", Some(&labels), 5);
    assert_eq!(world.heard(), names(["a", "c"]));
    put("a", "inactive", Some(&labels), 6);
    assert_eq!(world.heard(), names(["a"]), "it counted no more");
    put("d", "deactivating", None, 7);
    assert_eq!(world.heard(), names(["d"]), "it has no labels");
}

#[test]
fn a_source_of_another_kind_competes_for_the_directory() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    let other = with(
        link("b", "cache", &to("Deployment", "pg"), 2),
        "/spec/instanceRef",
        to("StatefulSet", "web"),
    );
    world.apply::<Links>(other);
    world.heard();
    world.delete::<Links>(link("a", "db", &to("Deployment", "pg"), 3));
    assert_eq!(world.heard(), names(["a", "b"]));
}

#[test]
fn a_deleted_link_is_swept_after() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    world.delete::<Links>(link("a", "db", &to("Deployment", "pg"), 2));
    assert_eq!(world.gone(), vec!["a-uid"]);
}

#[test]
fn a_link_made_anew_under_its_name_leaves_the_old_one_to_be_swept() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    let again = with(
        link("a", "db", &to("Deployment", "pg"), 2),
        "/metadata/uid",
        json!("another"),
    );
    world.apply::<Links>(again);
    assert_eq!(world.gone(), vec!["a-uid"]);
}

#[test]
fn a_link_recreated_under_its_name_with_another_alias_wakes_the_link_that_waits_for_the_first_alias() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    world.apply::<Links>(link("b", "db", &to("Deployment", "pg"), 2));
    world.heard();
    let again = with(
        link("a", "cache", &to("Deployment", "pg"), 3),
        "/metadata/uid",
        json!("another"),
    );
    world.apply::<Links>(again);
    assert_eq!(world.heard(), names(["a", "b"]));
}

#[test]
fn a_link_that_a_relist_does_not_show_is_gone() {
    let world = World::new();
    world.list::<Links>(vec![
        link("a", "db", &to("Pod", "p"), 1),
        link("b", "db", &to("Pod", "p"), 2),
    ]);
    world.heard();
    world.list::<Links>(vec![link("b", "db", &to("Pod", "p"), 2)]);
    assert_eq!(world.heard(), names(["a", "b"]));
    assert!(
        world
            .cache
            .read(|i| i.links.table.get(&ObjectName::new("shop", "a")).is_none())
    );
}

#[test]
fn source_and_target_lead_to_their_links() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    world.apply::<Links>(link("b", "me", &to("Deployment", "web"), 2));
    world.heard();
    let deployment = |name: &str, version, ports| {
        json!({"metadata": meta(name, version), "spec": {"selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"ports": ports}]}}}, "status": {"replicas": 1}})
    };
    world.apply::<Deployments>(deployment("pg", 3, json!([])));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Deployments>(deployment("web", 4, json!([])));
    assert_eq!(world.heard(), names(["a", "b"]));
    world.apply::<Deployments>(deployment("pg", 5, json!([])));
    assert_eq!(world.heard(), names([]), "only its status changed");
    world.apply::<Deployments>(deployment("pg", 6, json!([{"containerPort": 5432}])));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_namespace_that_begins_to_terminate_concerns_its_links() {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    let namespace =
        |version: u64| json!({"metadata": {"name": "shop", "uid": "n", "resourceVersion": version.to_string()}});
    world.apply::<Namespaces>(namespace(1));
    world.heard();
    world.apply::<Namespaces>(namespace(2));
    assert_eq!(world.heard(), names([]));
    let terminating = with(
        namespace(3),
        "/metadata/deletionTimestamp",
        json!("2026-01-01T00:00:00Z"),
    );
    world.apply::<Namespaces>(terminating);
    assert_eq!(world.heard(), names(["a"]));
}
