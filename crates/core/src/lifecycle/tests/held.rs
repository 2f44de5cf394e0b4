//! What the finalizers of other clients hold, and from when on a person is told (lifecycle#finalizers-of-others).

use instancelink_api::State;
use instancelink_api::status::Transitioning;

use super::World;
use crate::fixture;

const OTHERS: &str = "example.com/keep";

fn transitioning(world: &World) -> (State, Transitioning) {
    (world.state(), world.status().transitioning)
}

fn message(world: &World) -> String {
    world.status().transitioning_message.clone().unwrap_or_default()
}

/// lifecycle#finalizers-of-others
#[test]
fn a_link_whose_child_is_held_says_error_after_ten_seconds() {
    for verb in ["deactivate", "delete"] {
        let mut world = World::active();
        let slice = &mut world.s.children.slices[0];
        (slice.terminating, slice.held_since) = (true, Some(fixture::NOW.parse().unwrap()));
        if verb == "delete" {
            world.delete();
        } else {
            world.annotate(verb);
        }
        let wake = world.settle();
        assert_eq!(
            transitioning(&world),
            (State::Deactivating, Transitioning::Yes),
            "{verb}"
        );
        assert_eq!(world.condition("Stalled").0, "absent");
        assert_eq!(wake, Some("2026-01-01T00:00:10Z".parse().unwrap()));
        world.pass_time(10);
        world.settle();
        assert_eq!(
            transitioning(&world),
            (State::Deactivating, Transitioning::Error),
            "{verb}"
        );
        assert_eq!(world.condition("Stalled"), ("True", "FinalizersRemain"));
        assert_eq!(world.condition("Programmed"), ("False", "FinalizersRemain"));
        assert!(message(&world).contains("shop/web-db-v4"), "{}", message(&world));
        world.s.children.slices.clear();
        world.settle();
        assert_eq!(world.gone, verb == "delete");
        assert_eq!(world.condition("Stalled").0, "absent");
    }
}

/// lifecycle#finalizers-of-others
#[test]
fn a_child_that_the_garbage_collector_deletes_is_no_error() {
    let mut world = World::active();
    world.s.children.slices[0].terminating = true;
    world.annotate("deactivate");
    world.settle();
    world.pass_time(100);
    world.settle();
    assert_eq!(transitioning(&world), (State::Deactivating, Transitioning::Yes));
    assert_eq!(world.condition("Stalled").0, "absent");
}

/// lifecycle#finalizers-of-others
#[test]
fn an_active_link_whose_child_is_held_is_stalled_after_ten_seconds() {
    let mut world = World::active();
    let slice = &mut world.s.children.slices[0];
    (slice.terminating, slice.held_since) = (true, Some(fixture::NOW.parse().unwrap()));
    world.settle();
    assert_eq!(world.condition("Programmed"), ("False", "Pending"));
    world.pass_time(10);
    world.settle();
    assert_eq!(world.condition("Stalled"), ("True", "FinalizersRemain"));
    assert_eq!(transitioning(&world), (State::Active, Transitioning::No));
}

/// lifecycle#finalizers-of-others
#[test]
fn a_deleted_link_that_a_finalizer_of_another_client_keeps_says_error_after_ten_seconds() {
    let mut world = World::active();
    let finalizers = world.s.link.object.metadata.finalizers.as_mut().unwrap();
    finalizers.push(OTHERS.to_owned());
    world.delete();
    let wake = world.settle();
    assert!(!world.gone);
    assert_eq!(world.s.link.object.metadata.finalizers, Some(vec![OTHERS.to_owned()]));
    assert_eq!(transitioning(&world), (State::Purging, Transitioning::Yes));
    assert_eq!(wake, Some("2026-01-01T00:00:10Z".parse().unwrap()));
    world.pass_time(10);
    world.settle();
    assert_eq!(transitioning(&world), (State::Purging, Transitioning::Error));
    assert_eq!(world.condition("Stalled"), ("True", "FinalizersRemain"));
    assert!(message(&world).contains(OTHERS) && message(&world).contains("kubectl -n shop patch il web-db"));
}

/// lifecycle#finalizers-of-others
#[test]
fn a_deleted_link_that_waits_for_the_garbage_collector_is_no_error() {
    let mut world = World::active();
    let finalizers = world.s.link.object.metadata.finalizers.as_mut().unwrap();
    finalizers.push("foregroundDeletion".to_owned());
    world.delete();
    world.settle();
    world.pass_time(100);
    assert_eq!(world.settle(), None);
    assert_eq!(transitioning(&world), (State::Purging, Transitioning::Yes));
}
