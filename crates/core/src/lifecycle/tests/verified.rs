//! The condition `Verified` of a link at rest, which costs a write only when it changes.

use std::sync::Arc;

use super::World;
use crate::verify::{Answer, Lookup, Resolution};

/// Looks the link up now, with these endpoints programmed and this answer of the DNS.
fn look(world: &mut World, programmed: &[&str], answer: Answer) {
    world.s.lookup = Lookup::Seen(Arc::new(Resolution {
        at: world.s.now,
        name: "db.web-links.shop.svc.cluster.local".to_owned(),
        programmed: programmed.iter().map(|a| a.parse().unwrap()).collect(),
        answer,
        api_server: None,
        domain_of_pod: None,
    }));
    world.settle();
}

fn gives(addresses: &[&str]) -> Answer {
    Answer::Addresses(addresses.iter().map(|a| a.parse().unwrap()).collect())
}

fn verified() -> World {
    let mut world = World::active();
    world.s.lookup = Lookup::Pending;
    world.settle();
    look(&mut world, &["10.0.0.10"], gives(&["10.0.0.10"]));
    assert_eq!(world.condition("Verified"), ("True", "Resolves"));
    world.writes.clear();
    world
}

/// contract#condition-verified
#[test]
fn verified_is_absent_until_the_first_lookup_and_then_costs_one_write() {
    let mut world = World::active();
    world.writes.clear();
    world.s.lookup = Lookup::Pending;
    world.settle();
    assert_eq!(world.condition("Verified"), ("absent", ""));
    assert!(world.writes.is_empty());
    look(&mut world, &["10.0.0.10"], gives(&["10.0.0.10"]));
    assert_eq!(world.writes, ["status"]);
}

/// contract#verification
#[test]
fn changing_endpoints_cost_no_write_while_the_verdict_stays_the_same() {
    let mut world = verified();
    for address in ["10.0.0.11", "10.0.0.12"] {
        world.pass_time(30);
        look(&mut world, &[address], gives(&[address]));
    }
    assert!(world.writes.is_empty());
}

/// contract#condition-verified
#[test]
fn a_name_that_does_not_resolve_is_reported_once_and_the_link_stays_ready() {
    let mut world = verified();
    world.pass_time(30);
    look(&mut world, &["10.0.0.10"], Answer::NoSuchName);
    assert_eq!(world.condition("Verified"), ("False", "NameNotFound"));
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
    world.pass_time(600);
    look(&mut world, &["10.0.0.10"], Answer::NoSuchName);
    assert_eq!(world.writes, ["status"]);
    let told: Vec<_> = world.events.iter().map(|e| (e.warning, e.reason.as_str())).collect();
    assert_eq!(told, [(true, "NameNotFound")]);
}

/// contract#verification
#[test]
fn a_restarted_operator_keeps_the_verdict_until_it_has_looked_up_the_name() {
    let mut world = verified();
    world.s.lookup = Lookup::Pending;
    world.settle();
    assert_eq!(world.condition("Verified"), ("True", "Resolves"));
    assert!(world.writes.is_empty());
    world.s.lookup = Lookup::Off;
    world.settle();
    assert_eq!(world.condition("Verified"), ("absent", ""), "the operator asks no DNS");
}

/// contract#condition-verified
#[test]
fn an_update_removes_verified_until_the_next_lookup() {
    let mut world = verified();
    world.pass_time(30);
    world.s = world.s.clone().edited(|spec| spec.publish_not_ready_addresses = true);
    world.settle();
    assert_eq!(world.condition("Verified"), ("absent", ""));
    world.pass_time(10);
    look(&mut world, &["10.0.0.10"], gives(&["10.0.0.10"]));
    assert_eq!(world.condition("Verified"), ("True", "Resolves"));
}

/// contract#condition-verified
#[test]
fn a_link_that_is_not_active_has_no_condition_verified() {
    let mut world = verified();
    world.pass_time(30);
    world.act("deactivate");
    assert_eq!(world.condition("Verified"), ("absent", ""));
}
