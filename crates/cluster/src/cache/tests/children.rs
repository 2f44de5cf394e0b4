use super::*;

fn ours(object: Value, uid_label: &str, uid: &str) -> Value {
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", uid_label: uid});
    with(object, "/metadata/labels", labels)
}

fn slice(name: &str, link: &str, version: u64) -> Value {
    let slice = json!({"metadata": meta(name, version), "addressType": "IPv4", "endpoints": []});
    ours(slice, "instancelink.dev/link-uid", &format!("{link}-uid"))
}

fn two_rivals_and_a_third() -> World {
    let world = World::new();
    for (version, (name, alias)) in (1..).zip([("a", "db"), ("b", "db"), ("c", "cache")]) {
        world.apply::<Links>(link(name, alias, &to("Deployment", "pg"), version));
    }
    world.heard();
    world
}

#[test]
fn a_slice_concerns_its_link_and_its_coming_and_going_those_that_want_the_alias() {
    let world = two_rivals_and_a_third();
    world.apply::<Slices>(slice("a-v4", "a", 10));
    assert_eq!(world.heard(), names(["a", "b"]));
    let damaged = with(slice("a-v4", "a", 11), "/ports", json!([{"port": 1}]));
    world.apply::<Slices>(damaged);
    assert_eq!(world.heard(), names(["a"]));
    world.delete::<Slices>(slice("a-v4", "a", 12));
    assert_eq!(world.heard(), names(["a", "b"]));
}

#[test]
fn a_slice_that_lost_its_label_is_found_by_its_owner_and_its_annotation() {
    let world = two_rivals_and_a_third();
    let owner =
        json!([{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "a", "uid": "a-uid"}]);
    let slice = json!({"metadata": meta("a-v4", 10), "addressType": "IPv4", "endpoints": []});
    let slice = with(slice, "/metadata/ownerReferences", owner);
    world.apply::<Slices>(slice.clone());
    assert_eq!(world.heard(), names([]), "an owner alone proves nothing");
    let named = json!({"instancelink.dev/link": "shop/a"});
    let slice = with(slice, "/metadata/resourceVersion", json!("11"));
    world.apply::<Slices>(with(slice, "/metadata/annotations", named));
    assert_eq!(world.heard(), names(["a", "b"]));
}

/// lifecycle#no-wait-for-others
#[test]
fn an_object_of_another_namespace_with_the_marks_of_a_link_neither_concerns_it_nor_counts_as_its_child() {
    let world = two_rivals_and_a_third();
    let elsewhere = |object: Value| with(object, "/metadata/namespace", json!("data"));
    for number in 0..3 {
        world.apply::<Slices>(elsewhere(slice("a-v4", "a", 10 + number)));
    }
    let heard = world.all_heard();
    assert!(heard.links.is_empty(), "{heard:?}");
    assert_eq!(heard.orphans.len(), 1, "the sweep asks for a link of that name there");
    let environment = json!({"metadata": meta("web-links", 20), "data": {}});
    let environment = ours(environment, "instancelink.dev/source-uid", "web-uid");
    let entries = json!({"instancelink.dev/entries": r#"{"a-uid": []}"#, "instancelink.dev/link": "shop/a"});
    world.apply::<Environments>(elsewhere(with(environment, "/metadata/annotations", entries)));
    let service = json!({"metadata": meta("a-vip", 30), "spec": {"clusterIP": "10.0.0.1"}});
    world.apply::<Services>(elsewhere(ours(service, "instancelink.dev/link-uid", "a-uid")));
    assert_eq!(world.heard(), names([]));
    let count = |namespace: &str| world.cache.read(|index| index.count_claims(&namespace.into(), "a-uid"));
    assert_eq!(count("shop"), 0);
}

#[test]
fn a_child_whose_link_is_not_known_asks_for_a_sweep_and_any_other_does_not() {
    let world = two_rivals_and_a_third();
    let directory = |name: &str, link: &str, version: u64| {
        let service = json!({"metadata": meta(name, version), "spec": {"clusterIP": "None"}});
        let service = ours(service, "instancelink.dev/source-uid", "web-uid");
        with(
            service,
            "/metadata/annotations",
            json!({"instancelink.dev/link": format!("shop/{link}")}),
        )
    };
    world.apply::<Slices>(slice("a-v4", "a", 10));
    world.apply::<Services>(directory("web-links", "a", 11));
    world.apply::<Slices>(json!({"metadata": meta("theirs", 12), "addressType": "IPv4", "endpoints": []}));
    assert!(!world.has_orphans());
    world.apply::<Slices>(slice("gone-v4", "gone", 13));
    assert!(world.has_orphans());
    world.apply::<Services>(directory("api-links", "gone", 14));
    assert!(world.has_orphans());
}

#[test]
fn a_service_with_a_directorys_name_concerns_all_links_of_the_source() {
    let world = two_rivals_and_a_third();
    world.apply::<Services>(json!({"metadata": meta("web-links", 10), "spec": {"clusterIP": "None"}}));
    assert_eq!(world.heard(), names(["a", "b", "c"]));
    world.apply::<Services>(json!({"metadata": meta("else-links", 11), "spec": {"clusterIP": "None"}}));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn a_directory_under_another_name_is_found_by_the_link_it_names() {
    let world = two_rivals_and_a_third();
    let directory = json!({"metadata": meta("il-0123456789", 10), "spec": {"clusterIP": "None"}});
    let directory = with(
        directory,
        "/metadata/annotations",
        json!({"instancelink.dev/link": "shop/c"}),
    );
    world.apply::<Services>(ours(directory, "instancelink.dev/source-uid", "gone"));
    assert_eq!(world.heard(), names(["a", "b", "c"]));
}

#[test]
fn an_environment_concerns_the_links_it_has_entries_of() {
    let world = two_rivals_and_a_third();
    let entries = json!({"instancelink.dev/entries": r#"{"c-uid": ["CACHE_NAME"]}"#});
    let environment = json!({"metadata": meta("somewhere-links", 10), "data": {"CACHE_NAME": "/web/cache"}});
    let environment = with(environment, "/metadata/annotations", entries);
    world.apply::<Environments>(ours(environment, "instancelink.dev/source-uid", "gone"));
    assert_eq!(world.heard(), names(["c"]));
}

#[test]
fn a_service_with_a_virtual_ips_name_concerns_its_link() {
    let world = two_rivals_and_a_third();
    let service = |name: &str, version| json!({"metadata": meta(name, version), "spec": {"clusterIP": "10.0.0.1"}});
    world.apply::<Services>(ours(service("c-vip", 10), "instancelink.dev/link-uid", "c-uid"));
    assert!(world.heard().contains("c"));
    world.apply::<Services>(service("c-vip", 11));
    assert!(world.heard().contains("c"));
    world.apply::<Services>(ours(service("other", 12), "instancelink.dev/link-uid", "c-uid"));
    assert_eq!(world.heard(), names([]), "no child has such a name");
    world.apply::<Services>(service("d-vip", 12));
    assert_eq!(world.heard(), names([]));
}

/// A user can write very many keys and entries into an environment. The answer to the repair was compared with all of them.
#[test]
fn very_many_keys_and_entries_in_an_environment_cost_one_look_each() {
    let world = two_rivals_and_a_third();
    let environment = |entries: Value, data: Value, version: u64| {
        let map = json!({"metadata": meta("web-links", version), "data": data});
        let map = ours(map, "instancelink.dev/source-uid", "web-uid");
        with(
            map,
            "/metadata/annotations",
            json!({"instancelink.dev/entries": entries.to_string()}),
        )
    };
    let of_links = |count: usize| -> serde_json::Map<String, Value> {
        let uids = (0..count).map(|number| (format!("{number:x}"), json!([])));
        let own = [("a-uid", "DB_NAME"), ("c-uid", "CACHE_NAME")];
        uids.chain(own.map(|(uid, key)| (uid.to_owned(), json!([key]))))
            .collect()
    };
    let keys = |count: usize| -> serde_json::Map<String, Value> {
        (0..count)
            .map(|number| (format!("CACHE_{number}"), json!("")))
            .collect()
    };
    // What is left has so many entries that it takes a moment to parse it.
    world.apply::<Environments>(environment(
        Value::Object(of_links(20_000)),
        Value::Object(keys(20_000)),
        10,
    ));
    world.heard();
    let repaired = environment(Value::Object(of_links(10_000)), json!({}), 11);
    let started = std::time::Instant::now();
    let write = world.cache.begin::<Environments>(ObjectName::new("shop", "web-links"));
    write.answered(Environments::reduce(serde_json::from_value(repaired).unwrap()));
    assert!(world.heard().contains("c"), "its keys are free");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

/// contract#repair
#[test]
fn a_finalizer_that_comes_to_a_terminating_child_concerns_its_link() {
    let world = two_rivals_and_a_third();
    let going = |version: u64, finalizers: Value| {
        let slice = with(
            slice("a-v4", "a", version),
            "/metadata/deletionTimestamp",
            json!("2026-01-01T00:00:00Z"),
        );
        with(slice, "/metadata/finalizers", finalizers)
    };
    world.apply::<Slices>(going(10, json!(["foregroundDeletion"])));
    world.heard();
    world.apply::<Slices>(going(11, json!(["foregroundDeletion", "example.com/keep"])));
    assert!(world.heard().contains("a"));
}

/// contract#repair
#[test]
fn our_deletion_of_an_environment_that_cannot_be_changed_concerns_the_links_with_entries() {
    let world = two_rivals_and_a_third();
    let environment = |version, entries: &str| {
        let map = json!({"metadata": meta("web-links", version), "data": {"DB_NAME": "x", "CACHE_NAME": "y"}});
        let map = with(
            map,
            "/metadata/annotations",
            json!({"instancelink.dev/entries": entries}),
        );
        ours(map, "instancelink.dev/source-uid", "web-uid")
    };
    let delete = |version, entries: &str| {
        world.apply::<Environments>(environment(version, entries));
        world.heard();
        let in_flight = world.cache.begin::<Environments>(ObjectName::new("shop", "web-links"));
        in_flight.gone("web-links-uid");
        let heard = world.heard();
        world.delete::<Environments>(environment(version + 1, entries));
        heard
    };
    let both = r#"{"a-uid": ["DB_NAME"], "c-uid": ["CACHE_NAME"]}"#;
    assert!(delete(10, both).is_superset(&names(["a", "c"])));
    let last = r#"{"c-uid": ["CACHE_NAME"]}"#;
    assert!(!delete(20, last).contains("c"), "nothing is missing after it");
}
