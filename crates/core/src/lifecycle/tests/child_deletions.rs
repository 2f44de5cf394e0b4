//! What is reported of children that are deleted while their link rests.

use instancelink_api::State;

use super::World;
use crate::child::{Key, Kind, ObservedChild};
use crate::effect::{Effect, Step};
use crate::fixture::key;
use crate::lifecycle::{deletion, step};
use crate::snapshot::Snapshot;

/// The deletions that are due now, each with what is reported of it.
fn deletions(s: &Snapshot) -> Vec<(Key, Option<String>)> {
    let Step::Act(effects) = step(s) else {
        return Vec::new();
    };
    let deleted = effects.iter().filter_map(|effect| match effect {
        Effect::Delete { key, .. } => Some(key.clone()),
        _ => None,
    });
    deleted
        .map(|key| (key.clone(), deletion(s, &key).map(|deletion| deletion.why)))
        .collect()
}

fn only(s: &Snapshot) -> (Key, String) {
    let mut all = deletions(s);
    assert_eq!(all.len(), 1, "{all:?}");
    let (key, why) = all.remove(0);
    (key, why.expect("a report"))
}

/// contract#events
#[test]
fn a_surplus_slice_of_an_active_link_is_reported() {
    let mut world = World::active();
    let mut extra = world.s.children.slices[0].clone();
    extra.object.name = "web-db-v4-2".to_owned();
    world.s.children.put(ObservedChild::Slice(extra));
    let (child, why) = only(&world.s);
    assert_eq!(child, key(Kind::Slice, "web-db-v4-2"));
    assert_eq!(why, "the link does not need it any more");
}

/// contract#events
#[test]
fn a_repair_by_deletion_and_creation_is_reported() {
    let mut world = World::active();
    world.s.children.directories[0].object.body.headless = false;
    let (child, why) = only(&world.s);
    assert_eq!(child.kind, Kind::Directory);
    assert!(why.contains("the operator creates the object again"), "{why}");
}

/// contract#events
#[test]
fn slices_of_a_lost_directory_are_reported_with_its_name() {
    let mut world = World::active();
    let directory = &mut world.s.children.directories[0].object;
    directory.labels.clear();
    directory.annotations.clear();
    let (child, why) = only(&world.s);
    assert_eq!(child.kind, Kind::Slice);
    assert!(why.contains("Service shop/web-links is not the operator's"), "{why}");
}

/// contract#events
#[test]
fn a_child_of_a_link_that_is_inactive_is_reported() {
    let mut world = World::active();
    let slice = world.s.children.slices[0].clone();
    world.annotate("deactivate");
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    world.s.children.put(ObservedChild::Slice(slice));
    let (_, why) = only(&world.s);
    assert_eq!(why, "a link in the state inactive has no such object");
}

/// contract#events
#[test]
fn deletions_of_a_transition_are_not_reported() {
    let mut world = World::active();
    world.annotate("deactivate");
    let mut seen = 0;
    while world.state() != State::Inactive {
        for (child, report) in deletions(&world.s) {
            assert_eq!(report, None, "{child}");
            seen += 1;
        }
        world.step().unwrap();
    }
    assert!(seen > 1, "{seen}");
}

#[test]
fn a_namespace_that_is_being_deleted_gets_no_event() {
    let mut world = World::active();
    let slice = key(Kind::Slice, "web-db-v4");
    assert!(deletion(&world.s, &slice).unwrap().event.is_some());
    world.s.namespace.terminating = true;
    assert_eq!(deletion(&world.s, &slice).unwrap().event, None);
}

#[test]
fn the_event_names_the_child_and_fits_into_its_note() {
    let world = World::active();
    let longest = Key {
        kind: Kind::Slice,
        namespace: "n".repeat(63),
        name: "s".repeat(253),
    };
    let event = deletion(&world.s, &longest).unwrap().event.unwrap();
    assert_eq!((event.warning, event.reason.as_str()), (false, "ChildDeleted"));
    assert!(
        event.note.contains(&longest.to_string()) && event.note.len() <= 1024,
        "{}",
        event.note
    );
}
