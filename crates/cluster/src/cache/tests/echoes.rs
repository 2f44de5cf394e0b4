//! Our own writes: the next pass sees them before the watch shows them, and their echoes cause no pass.

use super::*;
use crate::cache::Taken;
use crate::store::table::Change;

fn at(version: u64) -> Value {
    link("a", "db", &to("Deployment", "pg"), version)
}

fn key() -> ObjectName {
    ObjectName::new("shop", "a")
}

fn version_known(world: &World) -> Option<String> {
    world.cache.read(|index| {
        let link = index.links.table.get(&key())?;
        link.peek().metadata.resource_version.clone()
    })
}

#[test]
fn the_answer_to_a_write_is_in_the_cache_before_the_watch_shows_it() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    in_flight.answered(Links::reduce(typed(at(5))));
    assert_eq!(version_known(&world).as_deref(), Some("5"));
    world.apply::<Links>(at(3));
    assert_eq!(
        version_known(&world).as_deref(),
        Some("5"),
        "older than what was written"
    );
    world.apply::<Links>(at(5));
    assert_eq!(world.heard(), names([]), "an echo causes no pass");
    assert_eq!(world.cache.read(|i| i.links.table.outstanding()), 0);
}

#[test]
fn an_echo_before_the_answer_causes_no_pass_either() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    world.apply::<Links>(at(5));
    in_flight.answered(Links::reduce(typed(at(5))));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn our_write_wakes_a_rival_with_the_echo_before_or_after_the_answer() {
    for echo_first in [false, true] {
        let world = World::new();
        world.apply::<Links>(at(1));
        world.apply::<Links>(link("b", "db", &to("Deployment", "pg"), 2));
        world.heard();
        let removed = || with(at(5), "/status", json!({"state": "removed"}));
        let in_flight = world.cache.begin::<Links>(key());
        if echo_first {
            world.apply::<Links>(removed());
        }
        in_flight.answered(Links::reduce(typed(removed())));
        assert_eq!(world.heard(), names(["b"]), "echo first: {echo_first}");
    }
}

#[test]
fn what_others_wrote_meanwhile_is_released_with_the_answer() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    world.apply::<Links>(at(4));
    world.apply::<Links>(at(5));
    assert_eq!(world.heard(), names([]));
    in_flight.answered(Links::reduce(typed(at(5))));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_write_without_an_answer_releases_the_events_held_for_it() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    world.apply::<Links>(at(5));
    drop(in_flight);
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn an_object_that_we_deleted_stays_deleted_until_the_watch_shows_the_deletion() {
    let world = World::new();
    let slice = |version| json!({"metadata": meta("s", version), "addressType": "IPv4", "endpoints": []});
    let name = ObjectName::new("shop", "s");
    world.apply::<Slices>(slice(1));
    world.cache.begin::<Slices>(name.clone()).gone("s-uid");
    world.apply::<Slices>(slice(2));
    assert!(world.cache.read(|i| i.slices.table.get(&name).is_none()));
    world.delete::<Slices>(slice(3));
    assert_eq!(world.cache.read(|i| i.slices.table.outstanding()), 0);
}

#[test]
fn a_list_that_is_older_than_a_write_does_not_undo_it() {
    let world = World::new();
    world.list::<Links>(vec![]);
    world.cache.begin::<Links>(key()).answered(Links::reduce(typed(at(7))));
    world.list::<Links>(vec![link("b", "other", &to("Pod", "p"), 3)]);
    assert_eq!(version_known(&world).as_deref(), Some("7"));
}

#[test]
fn a_write_that_the_watch_has_passed_without_showing_it_was_undone() {
    let world = World::new();
    world.list::<Links>(vec![]);
    world.cache.begin::<Links>(key()).answered(Links::reduce(typed(at(7))));
    world.list::<Links>(vec![]);
    world.apply::<Links>(link("b", "other", &to("Pod", "p"), 9));
    assert_eq!(version_known(&world), None);
    assert_eq!(world.cache.read(|i| i.links.table.outstanding()), 0);
}

/// The name of the child of link `a` that is of this kind.
fn name_of<W: Watched>() -> &'static str {
    match W::KIND {
        "EndpointSlice" => "a-v4",
        "Secret" => "a-binding",
        _ => "web-links",
    }
}

/// A child of link `a` by its label and, for an environment, by its entries. `a` and `b` want one alias.
fn child_of_a<W: Watched>(version: u64) -> Value {
    let labels = json!({
        "app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid",
        "instancelink.dev/source-uid": "web-uid",
    });
    let entries = json!({"instancelink.dev/entries": r#"{"a-uid": ["DB_NAME"]}"#, "instancelink.dev/link": "shop/a"});
    let child = json!({"metadata": meta(name_of::<W>(), version), "addressType": "IPv4", "endpoints": []});
    with(
        with(child, "/metadata/labels", labels),
        "/metadata/annotations",
        entries,
    )
}

fn two_rivals() -> World {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.apply::<Links>(link("b", "db", &to("Deployment", "pg"), 2));
    world
}

fn deletion_wakes_the_rival<W: Watched>() {
    for event_first in [false, true] {
        let world = two_rivals();
        world.apply::<W>(child_of_a::<W>(3));
        world.heard();
        let in_flight = world.cache.begin::<W>(ObjectName::new("shop", name_of::<W>()));
        if event_first {
            world.delete::<W>(child_of_a::<W>(4));
        }
        in_flight.gone(&format!("{}-uid", name_of::<W>()));
        assert_eq!(world.heard(), names(["b"]), "{}, event first: {event_first}", W::KIND);
        if !event_first {
            world.delete::<W>(child_of_a::<W>(4));
        }
        assert_eq!(world.heard(), names([]), "{}, event first: {event_first}", W::KIND);
    }
}

fn creation_wakes_the_rival<W: Watched>() {
    for event_first in [false, true] {
        let world = two_rivals();
        world.heard();
        let in_flight = world.cache.begin::<W>(ObjectName::new("shop", name_of::<W>()));
        if event_first {
            world.apply::<W>(child_of_a::<W>(3));
        }
        in_flight.answered(W::reduce(serde_json::from_value(child_of_a::<W>(3)).unwrap()));
        assert_eq!(world.heard(), names(["b"]), "{}, event first: {event_first}", W::KIND);
    }
}

#[test]
fn a_link_that_waits_for_an_alias_is_woken_when_our_deletion_ends_the_claim_of_its_rival() {
    deletion_wakes_the_rival::<Slices>();
    deletion_wakes_the_rival::<Environments>();
    deletion_wakes_the_rival::<Secrets>();
}

#[test]
fn a_link_that_waits_for_an_alias_is_woken_when_our_creation_begins_the_claim_of_its_rival() {
    creation_wakes_the_rival::<Slices>();
    creation_wakes_the_rival::<Environments>();
    creation_wakes_the_rival::<Secrets>();
}

#[test]
fn an_entry_that_our_write_takes_out_of_an_environment_ends_the_claim_of_its_link() {
    let world = two_rivals();
    world.apply::<Environments>(child_of_a::<Environments>(3));
    world.heard();
    let entries = json!({"instancelink.dev/entries": r#"{"c-uid": ["CACHE_NAME"]}"#});
    let without = with(child_of_a::<Environments>(4), "/metadata/annotations", entries);
    let in_flight = world.cache.begin::<Environments>(ObjectName::new("shop", "web-links"));
    in_flight.answered(Environments::reduce(serde_json::from_value(without).unwrap()));
    assert_eq!(world.heard(), names(["b"]));
}

#[test]
fn concerns_returns_the_same_for_a_change_when_it_is_called_again() {
    let world = two_rivals();
    world.apply::<Slices>(child_of_a::<Slices>(3));
    let name = ObjectName::new("shop", "a-v4");
    let slice = world.cache.read(|index| index.slices.table.get(&name).cloned());
    let created = Change {
        other_use: false,
        name,
        old: None,
        new: slice,
    };
    let ask = |who| world.cache.read(|index| Slices::concerns(index, &created, who));
    assert_eq!(ask(Who::Others), ask(Who::Others));
    assert_eq!(ask(Who::Us).links.len(), 1);
    let again = world.cache.write(|index| {
        Slices::reindex(index, &created);
        Slices::concerns(index, &created, Who::Us)
    });
    assert_eq!(again, ask(Who::Us));
}

/// A 404 says that another client removed the object, so nobody but the watch or this answer wakes its links.
///
/// lifecycle#answers-of-others
#[test]
fn a_shared_child_that_vanishes_while_it_is_written_concerns_each_link_of_its_source() {
    for event_first in [false, true] {
        let world = two_rivals();
        world.apply::<Links>(link("c", "cache", &to("Deployment", "pg"), 3));
        world.apply::<Environments>(child_of_a::<Environments>(4));
        world.heard();
        let in_flight = world.cache.begin::<Environments>(ObjectName::new("shop", "web-links"));
        if event_first {
            world.delete::<Environments>(child_of_a::<Environments>(5));
            assert_eq!(world.heard(), names([]), "it is not known yet whose deletion this is");
        }
        in_flight.vanished("web-links-uid");
        assert_eq!(world.heard(), names(["a", "b", "c"]), "event first: {event_first}");
        if !event_first {
            world.delete::<Environments>(child_of_a::<Environments>(5));
        }
        assert_eq!(world.heard(), names([]), "event first: {event_first}");
        assert_eq!(world.cache.read(|i| i.environments.table.outstanding()), 0);
    }
}

/// lifecycle#answers-of-others
#[test]
fn what_vanishes_while_it_is_written_concerns_its_link_and_those_that_want_its_alias() {
    fn concerns_both<W: Watched>() {
        let world = two_rivals();
        world.apply::<W>(child_of_a::<W>(3));
        world.heard();
        let name = ObjectName::new("shop", name_of::<W>());
        world
            .cache
            .begin::<W>(name)
            .vanished(&format!("{}-uid", name_of::<W>()));
        assert_eq!(world.heard(), names(["a", "b"]), "{}", W::KIND);
    }
    concerns_both::<Slices>();
    concerns_both::<Environments>();
    concerns_both::<Secrets>();
}

/// This happens after etcd is restored from a backup: later writes are undone, and resource versions are used again.
#[test]
fn a_list_with_older_versions_is_repeated_and_then_accepted() {
    let world = World::new();
    world.list::<Links>(vec![at(50), link("b", "other", &to("Pod", "p"), 60)]);
    world.cache.begin::<Links>(ObjectName::new("shop", "b")).gone("b-uid");
    world.heard();
    let restored = || vec![at(20), link("b", "other", &to("Pod", "p"), 10)];
    assert_eq!(world.list::<Links>(restored()), Taken::ListAgain);
    assert_eq!(world.list::<Links>(restored()), Taken::In);
    assert_eq!(version_known(&world).as_deref(), Some("20"));
    assert_eq!(
        world.heard(),
        names(["a", "b"]),
        "the link that we deleted is back, too"
    );
    world.apply::<Links>(at(21));
    assert_eq!(version_known(&world).as_deref(), Some("21"));
}

#[test]
fn a_list_that_is_only_older_than_our_own_write_is_not_repeated() {
    let world = World::new();
    world.list::<Links>(vec![at(5)]);
    world.cache.begin::<Links>(key()).answered(Links::reduce(typed(at(7))));
    assert_eq!(world.list::<Links>(vec![at(5)]), Taken::In);
    assert_eq!(version_known(&world).as_deref(), Some("7"));
}

#[test]
fn an_edit_of_another_client_that_a_live_read_shows_first_concerns_the_links_of_the_child() {
    let world = World::new();
    world.apply::<Links>(at(1));
    let slice = |address: &str, version| {
        let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid"});
        let slice = json!({
            "metadata": meta("a-v4", version), "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
        });
        with(slice, "/metadata/labels", labels)
    };
    world.apply::<Slices>(slice("10.0.0.1", 2));
    world.heard();
    let edited = slice("192.0.2.7", 3);
    let raw = serde_json::from_value(edited.clone()).unwrap();
    world
        .cache
        .read_live::<Slices>(&ObjectName::new("shop", "a-v4"), Slices::reduce(raw));
    assert_eq!(world.heard(), names(["a"]));
    world.apply::<Slices>(edited);
    assert_eq!(world.heard(), names([]), "the event is no news");
}
