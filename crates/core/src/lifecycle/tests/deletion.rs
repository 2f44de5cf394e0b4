//! Deletion, rule by rule (D1–D3; D2 is `sweep`).

use instancelink_api::State;

use super::World;
use crate::dataplane;
use crate::effect::{Effect, Step};
use crate::fixture;
use crate::lifecycle::step;

#[test]
fn d1_a_delete_is_never_held_up_by_what_is_missing() {
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

#[test]
fn d1_what_a_lost_status_left_behind_is_taken_away_first() {
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

#[test]
fn d1_a_delete_drains_first() {
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

#[test]
fn d3_once_deletion_was_seen_nothing_is_created() {
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
