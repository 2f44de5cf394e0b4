//! The status: the fields of Rancher 1.x, the history, and the conditions.

use instancelink_api::State;

use super::World;
use crate::fixture;

/// contract#rancher-fields
#[test]
fn all_fifteen_fields_of_rancher_are_in_the_status() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.name = Some("Orders".to_owned());
        spec.description = Some("web reads orders".to_owned());
    });
    world.settle();
    let status = serde_json::to_value(world.status()).unwrap();
    for field in [
        "id",
        "kind",
        "name",
        "state",
        "instanceId",
        "targetInstanceId",
        "linkName",
        "accountId",
        "created",
        "description",
        "transitioning",
        "uuid",
    ] {
        assert!(!status[field].is_null(), "{field} is missing");
    }
    assert_eq!(status["kind"], "instanceLink");
    assert_eq!(status["id"], crate::hash::bits52(fixture::LINK_UID));
    assert_eq!(status["uuid"], fixture::LINK_UID);
    assert_eq!(status["instanceId"], fixture::SOURCE_UID);
    assert_eq!(status["targetInstanceId"], fixture::TARGET_UID);
    assert_eq!(status["fqdn"], "db.web-links.shop.svc.cluster.local");
    assert!(status["removed"].is_null() && status["transitioningMessage"].is_null());
    assert!(!World::removed().status().removed.as_ref().unwrap().0.is_zero());
}

/// contract#registering-in-history
#[test]
fn a_skipped_registering_is_in_the_history() {
    let world = World::active();
    let history: Vec<_> = world
        .status()
        .history
        .iter()
        .map(|h| (h.state, h.cause.as_str()))
        .collect();
    assert_eq!(
        history,
        [
            (State::Registering, "create"),
            (State::Activating, "create"),
            (State::Active, "done")
        ]
    );
}

/// contract#operator-fields
#[test]
fn the_history_has_causes_and_keeps_ten_entries() {
    let mut world = World::active();
    world.act("deactivate");
    let causes: Vec<_> = world
        .status()
        .history
        .iter()
        .rev()
        .take(2)
        .map(|h| h.cause.as_str())
        .collect();
    assert_eq!(causes, ["done", "deactivate"]);
    for _ in 0..4 {
        world.act("activate");
        world.act("deactivate");
    }
    assert_eq!(world.status().history.len(), 10);
    assert_eq!(world.status().history.last().unwrap().state, State::Inactive);
}

/// contract#purged-is-scrubbed
#[test]
fn the_status_of_a_purged_link_has_no_text_of_its_user() {
    let mut world = World::removed();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.description = Some("secret plans".to_owned()));
    world.act("purge");
    let status = serde_json::to_string(world.status()).unwrap();
    assert!(!status.contains("secret plans"));
    assert_eq!(world.status().history.len(), 1);
    assert!(world.status().removed.is_some());
}

/// contract#conditions
#[test]
fn conditions_keep_their_time_while_their_status_stays() {
    let mut world = World::active();
    let before = world.status().conditions.clone();
    world.pass_time(100);
    world.s = world.s.clone().edited(|spec| spec.name = Some("x".to_owned()));
    world.settle();
    for (old, new) in before.iter().zip(&world.status().conditions) {
        assert_eq!(old.last_transition_time, new.last_transition_time);
        assert_eq!(new.observed_generation, Some(2));
    }
}

/// contract#transitioning-progress
#[test]
fn a_transition_counts_down_from_a_hundred() {
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    let mut world = World::new(fixture::snapshot().with_target_deployment(pods));
    world.settle();
    assert_eq!(world.status().transitioning_progress, Some(100));
    world.pass_time(9);
    world.settle();
    assert_eq!(world.status().transitioning_progress, Some(50));
    world.pass_time(9);
    world.settle();
    assert_eq!(world.status().transitioning_progress, None, "at rest");
}

/// contract#condition-ready
#[test]
fn a_removed_or_purged_link_is_ready() {
    let mut world = World::removed();
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
    world.act("purge");
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
}

/// contract#conditions
#[test]
fn the_time_of_a_condition_changes_only_with_its_own_status() {
    let mut world = World::active();
    let since = |world: &World, name: &str| {
        let conditions = &world.status().conditions;
        conditions
            .iter()
            .find(|c| c.type_ == name)
            .unwrap()
            .last_transition_time
            .0
    };
    let began = since(&world, "Accepted");
    world.pass_time(100);
    world.s.target = None;
    world.settle();
    assert_eq!(since(&world, "Available"), world.s.now, "it was True before");
    assert_eq!(since(&world, "Accepted"), began);
    assert_eq!(since(&world, "Ready"), began);
}
