//! A source that is gone before its pods (contract#delayed-hold).

use instancelink_api::{State, keys};

use super::World;
use crate::effect::Step;
use crate::fixture;
use crate::lifecycle::step;

/// An active link whose source was just deleted, while its pods run.
fn departed() -> World {
    let mut world = World::active();
    world.s = world.s.clone().without_source();
    world.s.pods_of_former_source = true;
    world.settle();
    world
}

fn is_cut(world: &mut World) -> bool {
    let cut = world.watched() == [State::Deactivating, State::Inactive];
    let children = &world.s.children;
    cut && children.slices.is_empty() && children.directories.is_empty() && children.environments.is_empty()
}

/// contract#delayed-hold
#[test]
fn a_link_stays_active_while_pods_of_its_deleted_source_run() {
    let mut world = departed();
    assert_eq!(world.watched(), []);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "SourceNotFound"));
    assert_eq!(world.condition("HoldDelayed"), ("True", "PodsRemain"));
    assert_eq!(world.condition("Available"), ("True", "EndpointsReady"));
    assert_eq!(world.status().instance_id.as_deref(), Some(fixture::SOURCE_UID));
    let before = World::active().s.children;
    let shared = |children: &crate::child::Children| (children.directories.clone(), children.environments.clone());
    assert_eq!(shared(&world.s.children), shared(&before), "nothing is written");
    let Step::Settled { wake, .. } = step(&world.s) else {
        panic!()
    };
    assert_eq!(wake, Some(world.s.now + world.s.source_grace));
    world.s.pods_of_former_source = false;
    world.settle();
    assert!(is_cut(&mut world), "the last pod has ended");
    assert_eq!(world.condition("HoldDelayed").0, "absent");
}

/// contract#delayed-hold
#[test]
fn a_source_that_is_created_again_in_time_finds_its_link_active() {
    let mut world = departed();
    world.pass_time(59);
    world.settle();
    world.s = world.s.clone().with_source_uid("another");
    world.s.pods_of_former_source = false;
    world.settle();
    assert_eq!(world.watched(), []);
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.condition("ResolvedRefs").0, "True");
    assert_eq!(world.condition("HoldDelayed").0, "absent");
    let children = &world.s.children;
    assert_eq!(children.directories[0].label(keys::SOURCE_UID), Some("another"));
    assert_eq!(children.environments[0].label(keys::SOURCE_UID), Some("another"));
    assert_eq!(world.status().instance_id.as_deref(), Some("another"));
}

/// contract#delayed-hold
#[test]
fn the_hold_begins_at_the_latest_when_the_time_is_over_counted_from_the_first_look() {
    let mut world = departed();
    for _ in 0..2 {
        world.pass_time(25);
        world.settle();
        assert_eq!(world.state(), State::Active);
    }
    world.pass_time(10);
    world.settle();
    assert!(is_cut(&mut world), "pods of an orphaned source may run for ever");
    world.settle();
    assert_eq!(world.state(), State::Inactive, "it does not begin again");
}

/// contract#delayed-hold
#[test]
fn another_source_that_goes_later_has_its_own_time() {
    let mut world = departed();
    world.pass_time(50);
    world.s = world.s.clone().with_source_uid("another");
    world.settle();
    world.s = world.s.clone().without_source();
    world.settle();
    world.pass_time(50);
    world.settle();
    assert_eq!(world.state(), State::Active);
}

/// contract#delayed-hold
#[test]
fn without_pods_without_a_time_or_in_a_namespace_that_goes_the_hold_begins_at_once() {
    let cases: [fn(&mut World); 3] = [
        |world| world.s.pods_of_former_source = false,
        |world| world.s.source_grace = jiff::SignedDuration::ZERO,
        |world| world.s.namespace.terminating = true,
    ];
    for case in cases {
        let mut world = World::active();
        world.s = world.s.clone().without_source();
        world.s.pods_of_former_source = true;
        case(&mut world);
        world.settle();
        assert_eq!(world.watched().first(), Some(&State::Deactivating));
    }
}

/// contract#delayed-hold, lifecycle#refused-link-write
#[test]
fn a_link_that_cannot_be_written_does_not_wait() {
    let mut world = World::active();
    world.refuses_link = true;
    world.s = world.s.clone().without_source();
    world.s.pods_of_former_source = true;
    world.settle();
    assert!(world.s.children.slices.is_empty(), "no time could be kept");
}

/// contract#delayed-hold
#[test]
fn users_and_consent_do_not_wait_for_the_pods() {
    let mut world = departed();
    world.act("deactivate");
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    let mut world = departed();
    world.delete();
    world.settle();
    assert!(world.gone);
    let mut world = departed();
    world.s = world.s.clone().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned());
    });
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
}
