//! What a link that waits says, and when it looks again.

use instancelink_api::State;

use super::World;
use crate::child::Kind;
use crate::effect::Step;
use crate::fixture;
use crate::lifecycle::step;
use crate::refusal::Refusal;

fn said(world: &World) -> &str {
    world.status().transitioning_message.as_deref().unwrap_or_default()
}

/// Steps as a pass does, in which what was refused stays refused.
fn pass(world: &mut World) {
    while world.step().is_ok() {}
}

fn comes_back_soon(world: &World) -> bool {
    matches!(step(&world.s), Step::Settled { retry: true, .. })
}

#[test]
fn who_waits_for_an_endpoint_names_the_target() {
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    let mut world = World::new(fixture::snapshot().with_target_deployment(pods));
    world.settle();
    assert!(
        said(&world).ends_with("for a ready endpoint of Deployment pg"),
        "{}",
        said(&world)
    );
}

#[test]
fn nothing_is_built_for_a_target_that_is_not_there_until_its_time_is_over() {
    let mut world = World::new(fixture::snapshot().without_target());
    world.settle();
    assert_eq!(world.state(), State::Activating);
    assert!(said(&world).starts_with("waiting up to 15 s"), "{}", said(&world));
    assert!(world.s.children.slices.is_empty() && world.s.children.environments.is_empty());
    world.s = world.s.clone().later(15);
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(
        world.s.children.slices.len(),
        1,
        "an empty one, by which the alias is known"
    );
}

#[test]
fn who_drains_says_for_how_long() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":30}"#).unwrap());
    });
    world.act("deactivate");
    assert_eq!(world.state(), State::Deactivating);
    assert!(said(&world).contains("drainSeconds (30 s)"), "{}", said(&world));
}

#[test]
fn who_was_refused_a_child_says_what_was_and_comes_back_soon() {
    let mut world = World::new(fixture::snapshot());
    let slice = fixture::key(Kind::Slice, "web-db-v4");
    let refusal = Refusal::forbidden("create", &slice, "no right");
    world.s.refusals.insert(slice, refusal);
    pass(&mut world);
    assert_eq!(world.state(), State::Activating);
    assert!(
        said(&world).starts_with("# the operator may not create EndpointSlice shop/web-db-v4: no right."),
        "{}",
        said(&world)
    );
    assert!(comes_back_soon(&world));
}

#[test]
fn an_update_waits_while_the_source_is_being_deleted_and_says_so() {
    let mut world = World::active();
    world.s.source.as_mut().unwrap().terminating = true;
    world.s = world.s.clone().edited(|spec| spec.target_instance_ref = None);
    world.settle();
    assert_eq!(world.state(), State::UpdatingActive);
    assert!(said(&world).contains("is being deleted"), "{}", said(&world));
}

#[test]
fn who_waits_for_somebodys_finalizer_names_the_child_and_comes_back_soon() {
    let mut world = World::active();
    world.s.children.slices[0].terminating = true;
    world.act("deactivate");
    assert_eq!(world.state(), State::Deactivating);
    assert!(
        said(&world).starts_with("EndpointSlice shop/web-db-v4 is being deleted"),
        "{}",
        said(&world)
    );
    assert!(comes_back_soon(&world));
}

#[test]
fn a_purged_link_looks_again_when_its_object_goes() {
    let mut world = World::removed();
    world.s.link.object.spec.ttl_seconds_after_purged = 10;
    world.annotate("purge");
    let wake = world.settle();
    assert_eq!(wake, Some(world.s.now + jiff::SignedDuration::from_secs(10)));
}
