//! Intents that a new object brings, and that no status can show (lifecycle#unreadable-intent).

use instancelink_api::{State, keys};
use serde_json::json;

use super::World;
use crate::fixture;

/// A new link that brings an intent with these fields.
fn bringing(more: &serde_json::Value) -> World {
    let mut intent = json!({
        "seq": 3, "action": "deactivate", "verdict": "Accepted", "desired": "Inactive", "at": fixture::NOW,
        "desiredAt": fixture::NOW, "link": "shop/web-db",
    });
    for (field, value) in more.as_object().unwrap() {
        intent[field] = value.clone();
    }
    let mut world = World::new(fixture::snapshot());
    world.annotations().insert(keys::INTENT.to_owned(), intent.to_string());
    world.settle();
    world
}

/// lifecycle#unreadable-intent
#[test]
fn an_intent_with_too_many_values_is_obeyed_and_its_newest_values_are_remembered() {
    let many: Vec<String> = (0..40).map(|n| format!("deactivate/{n}")).collect();
    let mut world = bringing(&json!({ "handled": many }));
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.last_action().intent.handled.len(), 16);
    world.writes.clear();
    world.act("deactivate/39");
    assert!(world.writes.is_empty(), "it is remembered");
    world.act("activate/40");
    assert_eq!(
        (world.state(), world.last_action().intent.handled.len()),
        (State::Active, 16)
    );
}

/// lifecycle#unreadable-intent
#[test]
fn an_intent_with_a_time_that_cannot_be_shown_is_lost() {
    for field in ["at", "desiredAt", "since"] {
        let world = bringing(&json!({ field: "-000001-01-01T00:00:00Z" }));
        assert_eq!(world.state(), State::Active, "{field}");
        assert_eq!(world.status().last_action, None);
    }
}
