//! Deletion of links (lifecycle#deleting-and-sweeping). The tests of orphans are in `sweep`.

use instancelink_api::State;

use super::World;
use crate::dataplane;
use crate::effect::{Effect, Step};
use crate::fixture;
use crate::lifecycle::step;

/// lifecycle#delete-through-purging
#[test]
fn a_delete_completes_when_source_target_or_grant_are_missing() {
    for terminating in [false, true] {
        let mut world = World::active();
        world.s = world.s.clone().without_source().without_target();
        world.s.namespace.terminating = terminating;
        world.delete();
        world.settle();
        assert!(world.gone);
        assert_eq!(world.watched(), [State::Deactivating, State::Purging]);
    }
}

/// lifecycle#delete-through-purging
#[test]
fn a_delete_first_removes_the_children_that_a_lost_status_left() {
    let mut world = World::active();
    world.wipe_status();
    world.s = world.s.clone().without_source();
    world.delete();
    world.settle();
    assert_eq!(
        world.watched(),
        [State::Registering, State::Deactivating, State::Purging]
    );
    assert!(world.gone && !dataplane::has_children(&world.s));
}

/// lifecycle#delete-through-purging
#[test]
fn a_delete_drains_first() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":30}"#).unwrap());
    });
    world.settle();
    world.delete();
    world.settle();
    assert!(!world.gone);
    assert_eq!(world.watched(), [State::Deactivating]);
    world.pass_time(30);
    world.settle();
    assert!(world.gone);
}

/// lifecycle#nothing-created-after-deletion
#[test]
fn nothing_is_created_once_the_deletion_was_seen() {
    let mut world = World::active();
    world.delete();
    // With --cascade=foreground the garbage collector takes the children at once.
    world.s.children = crate::child::Children::default();
    for _ in 0..20 {
        if let Step::Act(effects) = step(&world.s) {
            assert!(
                !effects
                    .iter()
                    .any(|e| matches!(e, Effect::Create { .. } | Effect::AddFinalizer)),
                "{effects:?}"
            );
        }
        if world.gone || world.step().is_err() {
            break;
        }
    }
    assert!(world.gone);
}

#[test]
fn a_status_that_says_active_without_a_finalizer_gets_it_back() {
    let mut world = World::active();
    world.s.link.object.metadata.finalizers = None;
    world.settle();
    assert_eq!(world.writes.last(), Some(&"finalizer"));
    assert!(world.watched().is_empty());
}

#[test]
fn a_new_link_takes_its_finalizer_before_its_first_state() {
    let mut world = World::new(fixture::snapshot());
    world.settle();
    assert_eq!(
        world.writes,
        ["finalizer", "status", "status"],
        "k + 2 writes, and one for the finalizer"
    );
}
