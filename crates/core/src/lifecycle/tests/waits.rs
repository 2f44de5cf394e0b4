//! The messages of a link that waits, and when the operator looks again.

use instancelink_api::{State, keys};

use super::World;
use crate::child::Kind;
use crate::effect::Step;
use crate::fixture;
use crate::lifecycle::step;
use crate::refusal::Refusal;

fn said(world: &World) -> &str {
    world.status().transitioning_message.as_deref().unwrap_or_default()
}

/// Steps until nothing is due. Refusals stay, as in one pass.
fn pass(world: &mut World) {
    while world.step().is_ok() {}
}

fn retries(world: &World) -> bool {
    matches!(step(&world.s), Step::Settled { retry: true, .. })
}

#[test]
fn the_message_of_a_waiting_link_names_the_target() {
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
fn a_link_without_its_target_has_no_children_until_the_waiting_time_is_over() {
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
        "an empty slice, so that the alias exists"
    );
}

#[test]
fn the_message_of_a_drain_says_how_long_it_takes() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":30}"#).unwrap());
    });
    world.act("deactivate");
    assert_eq!(world.state(), State::Deactivating);
    assert!(said(&world).contains("drainSeconds (30 s)"), "{}", said(&world));
}

#[test]
fn a_link_with_a_refused_child_says_which_and_retries() {
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
    assert!(retries(&world));
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
fn a_link_that_waits_for_a_finalizer_names_the_child_and_retries() {
    let mut world = World::active();
    world.s.children.slices[0].terminating = true;
    world.act("deactivate");
    assert_eq!(world.state(), State::Deactivating);
    assert!(
        said(&world).starts_with("EndpointSlice shop/web-db-v4 is being deleted"),
        "{}",
        said(&world)
    );
    assert!(retries(&world));
}

#[test]
fn a_purged_link_looks_again_when_its_object_goes() {
    let mut world = World::removed();
    world.s.link.object.spec.ttl_seconds_after_purged = 10;
    world.annotate("purge");
    let wake = world.settle();
    assert_eq!(wake, Some(world.s.now + jiff::SignedDuration::from_secs(10)));
}

/// contract#environment-size
#[test]
fn a_link_whose_variables_do_not_fit_is_active_without_them_and_says_so_from_the_start() {
    let mut s = fixture::snapshot()
        .with_sibling(fixture::sibling(State::Active, true))
        .up();
    let found = &mut s.children.environments[0].object;
    let keys: Vec<String> = (0..16_500).map(|n| format!("CACHE_N{n:06}")).collect();
    let entries = serde_json::json!({ fixture::SIBLING_UID: keys }).to_string();
    found.annotations.insert(keys::ENTRIES.to_owned(), entries);
    found.body.data = keys.into_iter().map(|key| (key, String::new())).collect();
    s.children.slices.clear();
    let mut world = World::new(s);
    while world.state() != State::Active {
        world.step().expect("it becomes active");
    }
    for _ in 0..2 {
        let conditions = &world.status().conditions;
        let programmed = conditions.iter().find(|c| c.type_ == "Programmed").unwrap();
        assert_eq!(
            (programmed.status.as_str(), programmed.reason.as_str()),
            ("False", "TooLarge")
        );
        world.settle();
    }
}
