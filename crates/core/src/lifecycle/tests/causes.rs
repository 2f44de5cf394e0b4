//! Each entry of the history has the cause of the state.

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

/// contract#operator-fields
#[test]
fn the_first_activation_has_the_cause_create_and_later_ones_the_action() {
    let mut world = World::active();
    assert_eq!(cause(&world, State::Activating), "create");
    world.act("deactivate");
    assert_eq!(cause(&world, State::Deactivating), "deactivate");
    world.act("activate");
    assert_eq!(cause(&world, State::Activating), "activate");
    assert_eq!(cause(&world, State::Active), "done");
}

/// contract#operator-fields
#[test]
fn a_hold_is_the_cause_of_its_cut_and_an_action_of_its_own_states() {
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

/// contract#operator-fields
#[test]
fn the_spec_is_the_cause_where_desired_state_decides() {
    let mut world = World::inactive();
    world.act("activate");
    desire(&mut world, Some(DesiredState::Inactive));
    assert_eq!(cause(&world, State::Deactivating), "spec");
    desire(&mut world, Some(DesiredState::Active));
    assert_eq!(cause(&world, State::Activating), "spec");
    world.act("remove");
    assert_eq!(
        cause(&world, State::Removing),
        "remove",
        "desiredState does not decide about remove"
    );
}

/// contract#operator-fields
#[test]
fn a_rejected_action_is_no_cause() {
    let mut world = World::active();
    desire(&mut world, Some(DesiredState::Inactive));
    world.act("purge");
    desire(&mut world, None);
    assert_eq!(cause(&world, State::Activating), "spec");
}

/// contract#operator-fields
#[test]
fn the_time_to_live_and_a_delete_are_causes() {
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
