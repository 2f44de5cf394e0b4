//! The API server refuses to write the link itself: what others rely on goes on (lifecycle#refused-link-write).

use instancelink_api::State;

use super::World;
use crate::effect::{Answer, Effect, Step};
use crate::fixture::{self, pod};
use crate::lifecycle::{step, take_answer};

fn refusing(mut world: World) -> World {
    world.refuses_link = true;
    world
}

/// A link into the namespace `data`, which consents.
fn elsewhere() -> World {
    let s = fixture::snapshot()
        .with_target_in("data")
        .granted("data", "{kind: Deployment}");
    let mut world = World::new(s);
    world.settle();
    assert_eq!(world.state(), State::Active);
    world
}

/// lifecycle#refused-link-write
#[test]
fn a_deletion_completes_from_each_state() {
    for make in [
        World::active as fn() -> World,
        World::inactive,
        World::removed,
        elsewhere,
        || {
            let mut waiting = World::new(fixture::snapshot().without_source());
            waiting.settle();
            waiting
        },
    ] {
        let mut world = refusing(make());
        world.delete();
        world.settle();
        assert!(world.gone, "{:?}", world.state());
    }
}

/// lifecycle#refused-link-write
#[test]
fn a_deletion_does_not_wait_for_a_request_that_cannot_be_taken() {
    let mut world = refusing(World::active());
    world.annotate("deactivate/1");
    world.delete();
    world.settle();
    assert!(world.gone);
}

/// lifecycle#refused-link-write
#[test]
fn a_deletion_keeps_its_drain() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":50}"#).unwrap());
    });
    world.settle();
    let mut world = refusing(world);
    world.delete();
    let wake = world.settle();
    assert!(!world.gone && wake.is_some(), "it drains");
    world.forget_refusals();
    world.pass_time(51);
    world.settle();
    assert!(world.gone);
}

/// lifecycle#refused-link-write, contract#revoked-consent
#[test]
fn lost_consent_cuts_a_link_that_cannot_be_written() {
    for request in [None, Some("deactivate/1"), Some("bogus")] {
        let mut world = refusing(elsewhere());
        if let Some(request) = request {
            world.annotate(request);
        }
        world.s.grants.clear();
        world.settle();
        assert!(world.s.children.slices.is_empty(), "{request:?}");
        assert_eq!(
            world.status().state,
            State::Deactivating,
            "as far as it got in this pass"
        );
    }
}

/// lifecycle#refused-link-write
#[test]
fn nothing_is_created_for_a_link_that_cannot_be_written() {
    let mut world = refusing(World::new(fixture::snapshot()));
    world.settle();
    assert!(world.s.children.slices.is_empty() && world.s.children.directories.is_empty());
    assert_eq!(world.state(), State::Requested);
}

/// lifecycle#refused-link-write
#[test]
fn a_state_that_builds_something_does_not_count_as_written() {
    let mut world = refusing(World::inactive());
    world.annotate("activate");
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert!(world.s.children.slices.is_empty());
}

/// lifecycle#refused-link-write
#[test]
fn endpoints_of_an_active_link_still_follow_its_pods() {
    let mut world = refusing(World::active());
    world.annotate("deactivate/1");
    world.s = world.s.clone().with_target_deployment(vec![pod("pg-1", "10.0.0.11")]);
    world.settle();
    let endpoints = world.s.children.slices.iter().flat_map(|s| &s.object.body.endpoints);
    let addresses: Vec<String> = endpoints.map(|e| format!("{e:?}")).collect();
    assert!(
        !addresses.is_empty() && addresses.iter().all(|e| e.contains("10.0.0.11")),
        "{addresses:?}"
    );
}

/// lifecycle#refused-link-write
#[test]
fn an_update_that_cannot_be_written_keeps_no_endpoint_of_a_pod_that_is_gone() {
    let mut world = refusing(World::active());
    world.s = world.s.clone().edited(|spec| spec.publish_not_ready_addresses = true);
    world.s = world.s.clone().with_target_deployment(Vec::new());
    world.settle();
    assert_eq!(world.state(), State::Active);
    let endpoints = world.s.children.slices.iter().flat_map(|s| &s.object.body.endpoints);
    assert_eq!(endpoints.count(), 0);
}

/// lifecycle#refused-link-write
#[test]
fn a_refusal_is_retried_and_the_link_continues_when_it_ends() {
    let mut world = refusing(World::active());
    world.annotate("deactivate/1");
    world.settle();
    assert!(matches!(step(&world.s), Step::Settled { retry: true, .. }));
    world.refuses_link = false;
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.last_action().intent.handled, ["deactivate/1"]);
}

#[test]
fn the_finalizer_and_the_object_itself_are_never_taken_for_written() {
    let mut s = fixture::snapshot();
    for effect in [Effect::DropFinalizer, Effect::DeleteLink] {
        assert!(!crate::lifecycle::refuse(&mut s, &effect));
    }
    assert_eq!(s.link_refusals, 0);
}

/// lifecycle#undone-link-write
#[test]
fn a_write_of_the_link_that_admission_undoes_is_sent_once_in_a_pass() {
    let mut s = fixture::snapshot();
    let Step::Act(effects) = step(&s) else {
        panic!("a new link is written");
    };
    let answer = Answer::Link(Box::new(s.link.object.clone()));
    let goes_on = take_answer(&mut s, &effects[0], answer, None);
    assert!(goes_on, "{effects:?}");
    let next = step(&s);
    assert!(matches!(next, Step::Settled { retry: true, .. }), "{next:?}");
}
