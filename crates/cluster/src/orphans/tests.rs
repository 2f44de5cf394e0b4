//! The search finds exactly the children that a look at everything would find.

use std::collections::BTreeSet;

use instancelink_core::child::names::policy;
use instancelink_core::child::{Key, Kind, ObservedChild};
use instancelink_core::sweep::{KnownLinks, live_check};
use serde_json::{Value, json};

use super::*;
use crate::affects::*;
use crate::cache::Cache;
use crate::world::*;

fn ours(name: &str, version: u64, label: (&str, &str)) -> Value {
    with(
        json!({"metadata": meta(name, version)}),
        "/metadata/labels",
        json!({"app.kubernetes.io/managed-by": "instancelink", (label.0): label.1}),
    )
}

fn of_link(name: &str, version: u64, link: &str) -> Value {
    ours(name, version, ("instancelink.dev/link-uid", &format!("{link}-uid")))
}

fn shared(name: &str, version: u64, link: &str, entries: &[&str]) -> Value {
    let entries: Value = entries
        .iter()
        .map(|link| (format!("{link}-uid"), json!(["KEY"])))
        .collect();
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "web-uid"}]);
    let child = ours(name, version, ("instancelink.dev/source-uid", "web-uid"));
    let child = with(child, "/metadata/ownerReferences", owner);
    let notes =
        json!({"instancelink.dev/link": format!("shop/{link}"), "instancelink.dev/entries": entries.to_string()});
    with(child, "/metadata/annotations", notes)
}

/// Children of link `a`, which is known, and of `gone`, which is not; and many others.
fn town() -> World {
    let world = World::new();
    world.apply::<Links>(link("a", "db", &to("Deployment", "pg"), 1));
    for (version, of) in (10..).step_by(10).zip(["a", "gone"]) {
        let slice = with(of_link(&format!("{of}-v4"), version, of), "/addressType", json!("IPv4"));
        world.apply::<Slices>(with(slice, "/endpoints", json!([])));
        world.apply::<Policies>(of_link(&policy(of, &format!("{of}-uid")), version + 1, of));
        world.apply::<Secrets>(of_link(&format!("{of}-binding"), version + 2, of));
        world.apply::<Services>(of_link(&format!("{of}-vip"), version + 3, of));
        world.apply::<Environments>(shared(&format!("{of}-links"), version + 4, "a", &["a", of]));
    }
    world.apply::<Services>(shared("web-links", 100, "a", &[]));
    world.apply::<Services>(shared("old-links", 101, "gone", &[]));
    world.apply::<Services>(json!({"metadata": meta("theirs-links", 102)}));
    world.apply::<Secrets>(json!({"metadata": meta("b-binding", 103)}));
    for number in 0..200 {
        let name = format!("l{number}");
        world.apply::<Links>(link(&name, &name, &to("Deployment", "pg"), 1000 + number));
        let slice = with(
            of_link(&format!("{name}-v4"), 2000 + number, &name),
            "/addressType",
            json!("IPv4"),
        );
        world.apply::<Slices>(with(slice, "/endpoints", json!([])));
        world.apply::<Services>(of_link(&format!("{name}-vip"), 3000 + number, &name));
        world.apply::<Environments>(shared(&format!("{name}-links"), 4000 + number, &name, &[&name]));
    }
    world
}

fn search(cache: &Cache) -> BTreeSet<Key> {
    let mut search = OrphanSearch::default();
    let mut found = BTreeSet::new();
    while let Some(portion) = search.next(cache) {
        found.extend(portion);
    }
    found
}

/// A look at everything at once, with each link parsed.
fn by_looking_at_everything(index: &Index) -> BTreeSet<Key> {
    let known: KnownLinks = index.links.table.iter().map(|(_, link)| link.peek()).collect();
    let slices = index
        .slices
        .table
        .iter()
        .map(|(_, s)| ObservedChild::Slice((*s.child.peek()).clone()));
    let policies = index
        .policies
        .table
        .iter()
        .filter_map(|(_, p)| p.child().cloned().map(ObservedChild::Policy));
    let services = index.services.table.iter().filter_map(|(_, s)| s.child.clone());
    let secrets = index.secrets.iter().map(|(_, s)| ObservedChild::Binding((**s).clone()));
    let environments = index.environments.table.iter();
    let environments = environments.map(|(_, e)| ObservedChild::Environment((*e.peek()).clone()));
    slices
        .chain(policies)
        .chain(services)
        .chain(secrets)
        .chain(environments)
        .filter(|child| live_check(child, &known).is_some())
        .map(|child| child.key())
        .collect()
}

#[test]
fn a_search_in_portions_finds_what_a_look_at_everything_finds() {
    let world = town();
    let expected = world.cache.read(by_looking_at_everything);
    let kinds: BTreeSet<Kind> = expected.iter().map(|key| key.kind).collect();
    assert_eq!(kinds.len(), 6, "{expected:?}");
    assert_eq!(expected.len(), 6, "{expected:?}");
    assert_eq!(search(&world.cache), expected);
}

#[test]
fn a_search_goes_on_where_the_last_child_of_a_portion_is_gone() {
    let world = town();
    let mut search = OrphanSearch::default();
    let mut found = search.next(&world.cache).unwrap();
    for number in 0..200 {
        let slice = with(
            json!({"metadata": meta(&format!("l{number}-v4"), 9000 + number)}),
            "/addressType",
            json!("IPv4"),
        );
        world.delete::<Slices>(with(slice, "/endpoints", json!([])));
    }
    while let Some(portion) = search.next(&world.cache) {
        found.extend(portion);
    }
    assert_eq!(found, world.cache.read(by_looking_at_everything));
}

#[test]
fn what_a_deleted_link_left_is_found_by_its_name_its_uid_and_its_source() {
    let world = town();
    let gone = GoneLink {
        name: ObjectName::new("shop", "gone"),
        uid: "gone-uid".to_owned(),
        source: ("shop".into(), "web".to_owned()),
    };
    let left = world.cache.read(|index| left_by(index, &[gone]));
    let names: BTreeSet<&str> = left.iter().map(|key| key.name.as_str()).collect();
    for name in [
        "gone-v4",
        policy("gone", "gone-uid").as_str(),
        "gone-binding",
        "gone-vip",
        "gone-links",
        "web-links",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    assert!(!names.contains("a-v4"));
}
