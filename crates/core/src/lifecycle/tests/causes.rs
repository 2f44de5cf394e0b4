//! Causes: each entry of the history says what made the link enter the state.

use instancelink_api::State;
use instancelink_api::spec::DesiredState;

use super::World;
use crate::fixture;

/// The cause of the last entry into a state.
fn cause(world: &World, state: State) -> &str {
    let history = &world.status().history;
    let entry = history.iter().rev().find(|entry| entry.state == state);
    entry.map_or("never entered", |entry| entry.cause.as_str())
}

fn desire(world: &mut World, state: Option<DesiredState>) {
    world.s = world.s.clone().edited(|spec| spec.desired_state = state);
    world.settle();
}

#[test]
fn a_link_is_activated_by_its_creation_once_and_by_whoever_asks_from_then_on() {
    let mut world = World::active();
    assert_eq!(cause(&world, State::Activating), "create");
    world.act("deactivate");
    assert_eq!(cause(&world, State::Deactivating), "deactivate");
    world.act("activate");
    assert_eq!(cause(&world, State::Activating), "activate");
    assert_eq!(cause(&world, State::Active), "done");
}

#[test]
fn a_hold_is_the_cause_of_what_it_cuts_and_an_action_of_what_it_does() {
    let mut world = World::active();
    world.s = world.s.clone().without_source();
    world.settle();
    assert_eq!(cause(&world, State::Deactivating), "SourceNotFound");
    let mut world = World::active();
    world.s = world.s.clone().without_source();
    world.act("remove");
    assert_eq!(cause(&world, State::Deactivating), "remove");
    assert_eq!(cause(&world, State::Removing), "remove");
}

#[test]
fn the_manifest_is_the_cause_where_it_rules_whatever_was_asked_before() {
    let mut world = World::inactive();
    world.act("activate");
    desire(&mut world, Some(DesiredState::Inactive));
    assert_eq!(cause(&world, State::Deactivating), "spec");
    desire(&mut world, Some(DesiredState::Active));
    assert_eq!(cause(&world, State::Activating), "spec");
    world.act("remove");
    assert_eq!(cause(&world, State::Removing), "remove", "which it does not rule");
}

#[test]
fn a_rejected_action_is_no_cause() {
    let mut world = World::active();
    desire(&mut world, Some(DesiredState::Inactive));
    world.act("purge");
    desire(&mut world, None);
    assert_eq!(cause(&world, State::Activating), "spec");
}

#[test]
fn a_link_that_expires_says_so_and_one_that_is_deleted_too() {
    let mut world = World::removed();
    world.s = world.s.clone().edited(|spec| spec.ttl_seconds_after_removed = Some(0));
    while world.state() != State::Purging {
        world.step().unwrap();
    }
    assert_eq!(cause(&world, State::Purging), "ttlSecondsAfterRemoved");
    let mut world = World::new(fixture::snapshot().with_source());
    world.settle();
    world.delete();
    while world.state() != State::Purging {
        world.step().unwrap();
    }
    assert_eq!(cause(&world, State::Deactivating), "delete");
    assert_eq!(cause(&world, State::Purging), "delete");
}
