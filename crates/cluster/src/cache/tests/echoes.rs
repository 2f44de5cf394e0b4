//! Our own writes: seen at once by the next pass, and no reason for one.

use super::*;

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
fn the_answer_to_a_write_is_known_before_the_watch_brings_it() {
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
    assert_eq!(world.heard(), names([]), "an echo is no news");
    assert_eq!(world.cache.read(|i| i.links.table.outstanding()), 0);
}

#[test]
fn an_echo_that_is_faster_than_the_answer_makes_no_work_either() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    world.apply::<Links>(at(5));
    in_flight.answered(Links::reduce(typed(at(5))));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn a_rival_is_woken_by_our_write_whichever_is_faster_the_echo_or_the_answer() {
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
fn what_somebody_else_wrote_meanwhile_is_let_go_with_the_answer() {
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
fn a_write_without_an_answer_lets_everything_go() {
    let world = World::new();
    world.apply::<Links>(at(1));
    world.heard();
    let in_flight = world.cache.begin::<Links>(key());
    world.apply::<Links>(at(5));
    drop(in_flight);
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_deletion_of_ours_stays_a_deletion_until_the_watch_agrees() {
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
fn a_write_that_the_watch_has_passed_without_showing_it_was_undone_by_somebody() {
    let world = World::new();
    world.list::<Links>(vec![]);
    world.cache.begin::<Links>(key()).answered(Links::reduce(typed(at(7))));
    world.list::<Links>(vec![]);
    world.apply::<Links>(link("b", "other", &to("Pod", "p"), 9));
    assert_eq!(version_known(&world), None);
    assert_eq!(world.cache.read(|i| i.links.table.outstanding()), 0);
}
