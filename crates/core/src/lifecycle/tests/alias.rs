//! Which link has an alias or a directory (lifecycle#alias-queue).

use std::sync::Arc;

use instancelink_api::{State, keys};

use super::World;
use crate::fixture;
use crate::snapshot::Sibling;

/// A rival for the alias `db`. It was created `older_by` seconds before the link, or after it if the number is
/// negative.
pub(super) fn rival(kind: &str, state: State, has_children: bool, older_by: i64) -> Sibling {
    let spec = format!("{{linkName: db, instanceRef: {{kind: {kind}, name: web}}}}");
    let mut object = fixture::link_named("web-db-2", "55555555-eeee-4eee-8eee-000000000002", &spec);
    let created = object.metadata.creation_timestamp.as_mut().unwrap();
    created.0 -= jiff::SignedDuration::from_secs(older_by);
    fixture::as_sibling(object, state, has_children)
}

fn world_with(rival: Sibling) -> World {
    let mut world = World::new(fixture::snapshot().with_sibling(rival));
    world.settle();
    world
}

/// The same rival, with `remove` as its last accepted action.
fn going(state: State, has_children: bool) -> Sibling {
    let mut sibling = rival("Deployment", state, has_children, 10);
    let intent = serde_json::json!({
        "seq": 1, "action": "remove", "verdict": "Accepted", "desired": "Removed",
        "desiredAt": "2025-12-31T00:00:00.000000Z", "at": "2025-12-31T00:00:00.000000Z", "link": "shop/web-db-2",
    });
    let object = Arc::make_mut(&mut sibling.object);
    object.metadata.annotations = Some([(keys::INTENT.to_owned(), intent.to_string())].into());
    sibling
}

/// lifecycle#who-claims
#[test]
fn a_link_claims_its_alias_while_it_is_up_or_in_transition_or_has_children() {
    for state in [
        State::Activating,
        State::Active,
        State::UpdatingActive,
        State::Deactivating,
    ] {
        assert_eq!(world_with(going(state, false)).state(), State::Registering, "{state}");
    }
    assert_eq!(
        world_with(going(State::Removing, true)).state(),
        State::Registering,
        "a link with children claims its alias"
    );
}

/// lifecycle#who-claims
#[test]
fn a_link_at_rest_claims_its_alias_unless_it_is_going_away() {
    for state in [State::Requested, State::Inactive, State::Removing, State::Removed] {
        assert_eq!(world_with(going(state, false)).state(), State::Active, "{state}");
    }
    for state in [State::Purging, State::Purged] {
        assert_eq!(
            world_with(rival("Deployment", state, false, 10)).state(),
            State::Active,
            "{state}"
        );
    }
    for state in [State::Requested, State::Registering, State::Inactive, State::Restoring] {
        assert_eq!(
            world_with(rival("Deployment", state, false, 10)).state(),
            State::Registering,
            "{state}"
        );
    }
}

/// lifecycle#earliest-claim-first
#[test]
fn the_first_link_to_claim_has_the_alias_and_the_other_names_it() {
    let mut world = world_with(rival("Deployment", State::Active, true, 10));
    assert_eq!(world.watched(), [State::Registering]);
    assert_eq!(world.condition("Accepted"), ("False", "AliasConflict"));
    assert_eq!(world.condition("Stalled"), ("True", "AliasConflict"));
    assert!(
        world
            .status()
            .transitioning_message
            .as_ref()
            .unwrap()
            .contains("web-db-2")
    );
    assert_eq!(serde_json::to_value(world.status().transitioning).unwrap(), "error");
}

/// lifecycle#earliest-claim-first
#[test]
fn a_waiting_link_takes_the_alias_when_it_is_free() {
    let mut world = world_with(rival("Deployment", State::Active, true, 10));
    world.s.siblings = vec![rival("Deployment", State::Purged, false, 10)];
    world.settle();
    assert_eq!(world.state(), State::Active);
}

/// lifecycle#earliest-claim-first
#[test]
fn of_two_waiting_links_the_older_goes_first() {
    assert_eq!(
        world_with(rival("Deployment", State::Requested, false, 10)).state(),
        State::Registering
    );
    assert_eq!(
        world_with(rival("Deployment", State::Requested, false, -10)).state(),
        State::Active
    );
    assert_eq!(
        world_with(rival("Deployment", State::Requested, false, 0)).state(),
        State::Active,
        "with equal times the smaller UID is first"
    );
}

/// lifecycle#never-evicted
#[test]
fn a_link_that_is_up_is_never_evicted_by_an_older_one() {
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Registering, false, 1000));
    world.settle();
    assert!(world.watched().is_empty());
    assert_eq!(
        world_with(rival("Deployment", State::Active, false, -10)).state(),
        State::Registering
    );
}

/// lifecycle#never-evicted
#[test]
fn if_two_links_of_an_alias_have_children_the_later_goes() {
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Active, true, 10));
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("Ready"), ("False", "Held"));
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Active, true, -10));
    world.settle();
    assert!(world.watched().is_empty());
}

/// lifecycle#never-evicted
#[test]
fn the_later_of_two_goes_also_while_their_source_is_being_deleted() {
    let mut world = World::active();
    world.s.source.as_mut().unwrap().terminating = true;
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Active, true, 10));
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("Accepted"), ("False", "AliasConflict"));
}

/// lifecycle#alias-taken
#[test]
fn a_restore_is_rejected_while_another_link_claims_the_alias() {
    let mut world = World::removed();
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Inactive, false, -10));
    world.act("restore");
    assert_eq!(world.last_action().intent.reason, "AliasTaken");
    assert!(world.last_action().message.contains("web-db-2"));
    assert_eq!(world.state(), State::Removed);
}

/// lifecycle#alias-taken
#[test]
fn an_inactive_link_keeps_its_place_in_the_queue() {
    let mut world = World::inactive();
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Registering, false, -10));
    world.act("activate");
    assert_eq!(world.state(), State::Active);
}

/// lifecycle#directory-queue
#[test]
fn two_sources_of_one_name_compete_for_the_directory() {
    let world = world_with(rival("StatefulSet", State::Active, true, 10));
    assert_eq!(world.state(), State::Registering);
    assert_eq!(world.condition("Accepted"), ("False", "DirectoryConflict"));
}

#[test]
fn an_alias_taken_while_a_link_is_restored_is_a_hold_there() {
    let mut world = World::removed();
    world.annotate("restore");
    while world.state() != State::Restoring {
        world.step().unwrap();
    }
    world.s = world
        .s
        .clone()
        .with_sibling(rival("Deployment", State::Active, true, 10));
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.condition("Ready").0, "True", "restore asks for inactive");
    world.act("activate");
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.condition("Ready"), ("False", "Held"));
}

#[test]
fn of_several_that_come_first_the_earliest_is_named_in_whatever_order_they_are_known() {
    let named = |name: &str, uid: &str, older_by: i64| {
        let mut sibling = rival("Deployment", State::Inactive, false, older_by);
        let object = Arc::make_mut(&mut sibling.object);
        object.metadata.name = Some(name.to_owned());
        object.metadata.uid = Some(uid.to_owned());
        sibling
    };
    let all = [
        named("second", "uid-b", 20),
        named("first", "uid-c", 30),
        named("third", "uid-a", 10),
    ];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [2, 0, 1]] {
        let s = order
            .into_iter()
            .fold(fixture::snapshot(), |s, n| s.with_sibling(all[n].clone()));
        let mut world = World::new(s);
        world.settle();
        let message = world.status().transitioning_message.clone().unwrap();
        assert!(message.starts_with("link first already has the alias db"), "{message}");
    }
}

#[test]
fn sources_whose_names_make_no_directory_do_not_contend_for_one() {
    let long = "w".repeat(60);
    let mut sibling = rival("StatefulSet", State::Active, true, 10);
    Arc::make_mut(&mut sibling.object)
        .spec
        .instance_ref
        .name
        .clone_from(&long);
    let s = fixture::snapshot().edited(|spec| spec.instance_ref.name = long);
    let mut world = World::new(s.with_sibling(sibling));
    world.settle();
    assert_eq!(world.state(), State::Active);
}

#[test]
fn the_key_of_an_older_sibling_stays_and_that_of_a_younger_one_is_taken_over() {
    for (older_by, taken_over) in [(10, false), (-10, true)] {
        let mut world = World::active();
        let mut sibling = fixture::sibling(State::Active, true);
        let created = &mut Arc::make_mut(&mut sibling.object).metadata.creation_timestamp;
        created.as_mut().unwrap().0 -= jiff::SignedDuration::from_secs(older_by);
        let environment = &mut world.s.children.environments[0].object;
        environment.body.data.insert("DB_PORT".to_owned(), "theirs".to_owned());
        let mut entries = environment.entries();
        entries
            .get_mut(fixture::LINK_UID)
            .unwrap()
            .retain(|key| *key != "DB_PORT");
        entries.insert(fixture::SIBLING_UID, vec!["DB_PORT"]);
        let entries = serde_json::to_string(&entries).unwrap();
        environment.annotations.insert(keys::ENTRIES.to_owned(), entries);
        world.s = world.s.clone().with_sibling(sibling);
        world.settle();
        let data = &world.s.children.environments[0].object.body.data;
        assert_eq!(data["DB_PORT"] != "theirs", taken_over);
    }
}
