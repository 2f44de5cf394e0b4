//! A link with `outputs.binding`, when the operator has seen the Secrets, has not, or may not read them.

use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Purging, UpdatingActive};

use super::World;
use crate::effect::Step;
use crate::fixture;
use crate::lifecycle::step;
use crate::snapshot::{Secrets, Snapshot};

const SEEN: Secrets = Secrets::Known { referenced: None };

fn asking() -> Snapshot {
    fixture::snapshot().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap();
    })
}

fn world(secrets: Secrets) -> World {
    let mut s = asking();
    s.secrets = secrets;
    let mut world = World::new(s);
    world.settle();
    world
}

fn named(world: &World) -> Option<&str> {
    world.status().binding.as_ref().map(|binding| binding.name.as_str())
}

/// contract#binding-secret
#[test]
fn the_status_names_the_secret_while_it_exists() {
    let mut world = world(SEEN);
    assert_eq!(world.watched(), [Activating, Active]);
    assert_eq!(named(&world), Some("web-db-binding"));
    world.act("deactivate");
    assert_eq!(world.watched(), [Deactivating, Inactive]);
    assert_eq!(named(&world), None);
    assert!(world.s.children.bindings.is_empty());
}

/// contract#least-rights
#[test]
fn a_link_that_waits_for_the_right_to_secrets_becomes_active_when_it_is_granted() {
    let mut world = world(Secrets::Forbidden);
    assert_eq!(world.watched(), [Activating]);
    assert_eq!(world.condition("Programmed"), ("False", "Forbidden"));
    assert_eq!(world.condition("Stalled"), ("True", "Forbidden"));
    let told = world.events.len();
    world.settle();
    assert_eq!(world.events.len(), told, "a problem gets one event");
    world.s.secrets = SEEN;
    world.settle();
    assert_eq!(world.watched(), [Active]);
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
}

/// contract#spec-outputs-binding
#[test]
fn the_secret_is_deleted_when_the_spec_no_longer_asks_for_a_binding() {
    let mut world = world(SEEN);
    world.watched();
    world.s = world.s.edited(|spec| spec.outputs = None);
    world.settle();
    assert_eq!(world.watched(), [UpdatingActive, Active]);
    assert_eq!(named(&world), None);
    assert!(world.s.children.bindings.is_empty());
}

/// contract#unseen-secrets
#[test]
fn a_starting_operator_writes_nothing_before_it_has_seen_the_secrets() {
    for stood in [SEEN, Secrets::Forbidden] {
        let mut world = world(SEEN);
        world.s.secrets = stood;
        world.settle();
        let before = world.status().clone();
        let standing = std::mem::take(&mut world.s.children.bindings);
        world.s.secrets = Secrets::Unknown;
        assert!(matches!(step(&world.s), Step::Settled { .. }), "{:?}", step(&world.s));
        world.s.secrets = SEEN;
        world.s.children.bindings = standing;
        world.settle();
        assert_eq!(world.status().binding, before.binding);
        assert_eq!(world.condition("Programmed"), ("True", "Programmed"));
    }
}

/// contract#unseen-secrets
#[test]
fn a_link_keeps_its_finalizer_until_its_secret_is_known_to_be_gone() {
    let mut world = world(SEEN);
    let standing = std::mem::take(&mut world.s.children.bindings);
    world.s.secrets = Secrets::Unknown;
    world.delete();
    world.settle();
    assert_eq!(world.state(), Deactivating);
    assert_eq!(named(&world), Some("web-db-binding"));
    world.s.secrets = Secrets::Forbidden;
    world.settle();
    assert_eq!(world.condition("Programmed"), ("False", "Forbidden"));
    assert!(!world.gone);
    world.s.secrets = SEEN;
    world.s.children.bindings = standing;
    world.watched();
    world.settle();
    assert_eq!(world.watched(), [Purging]);
    assert!(world.gone && world.s.children.bindings.is_empty());
}

/// contract#unseen-secrets
#[test]
fn a_terminating_namespace_is_not_held_up_by_a_missing_right_to_secrets() {
    let mut world = world(SEEN);
    world.s.secrets = Secrets::Forbidden;
    world.s.namespace.terminating = true;
    world.delete();
    // `World` asserts that no known child is left. This one is deleted with the namespace.
    world.s.children.bindings.clear();
    world.settle();
    assert!(world.gone);
}
