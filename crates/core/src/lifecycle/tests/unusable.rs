//! Links that cannot be read, and links whose source or target cannot be read (contract#unusable-objects).

use instancelink_api::State;
use instancelink_api::spec::NetworkPolicyMode;

use super::World;
use crate::dataplane;
use crate::fixture;
use crate::snapshot::Unusable;

fn broken() -> Unusable {
    Unusable::unreadable("spec.ports", "a sequence")
}

/// contract#unusable-objects
#[test]
fn an_active_link_that_cannot_be_read_is_cut_without_a_drain_and_says_which_field() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":600}"#).unwrap());
    });
    world.settle();
    world.s.link.unusable = Some(broken());
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert!(!dataplane::has_children(&world.s));
    assert_eq!(world.condition("Accepted"), ("False", "Unusable"));
    assert_eq!(world.condition("Stalled"), ("True", "Unusable"));
    assert_eq!(world.condition("Ready"), ("False", "Held"));
    assert_eq!(
        world.events.iter().filter(|event| event.reason == "Unusable").count(),
        1
    );
    world.s.link.unusable = None;
    world.settle();
    assert_eq!(world.watched(), [State::Activating, State::Active]);
}

/// contract#unusable-objects
#[test]
fn nothing_that_cannot_be_read_of_the_spec_delays_the_deletion() {
    for wiped in [false, true] {
        let mut world = World::active();
        // What is left of a spec of which no field can be read.
        world.s = world.s.clone().without_source().without_target().edited(|spec| {
            spec.link_name.clear();
            spec.instance_ref.kind.clear();
            spec.instance_ref.name.clear();
            spec.target_instance_ref = None;
            spec.network_policy = NetworkPolicyMode::None;
        });
        world.s.link.unusable = Some(broken());
        if wiped {
            world.wipe_status();
        }
        world.delete();
        world.settle();
        assert!(world.gone && !dataplane::has_children(&world.s), "wiped: {wiped}");
    }
}

/// contract#unusable-objects
#[test]
fn a_link_that_cannot_be_read_is_removed_by_an_action() {
    let mut world = World::active();
    world.s.link.unusable = Some(broken());
    world.act("remove");
    assert_eq!(world.state(), State::Removed);
    world.act("purge");
    assert_eq!(world.state(), State::Purged);
}

/// contract#unusable-objects
#[test]
fn a_link_that_cannot_be_read_from_its_creation_does_not_start() {
    let mut s = fixture::snapshot();
    s.link.unusable = Some(broken());
    let mut world = World::new(s);
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.condition("Accepted"), ("False", "Unusable"));
}

/// contract#unusable-objects
#[test]
fn a_status_that_cannot_be_read_is_written_again_and_holds_nothing() {
    let mut world = World::active();
    world.s.link.unusable = Some(Unusable::unreadable("status.removed", ""));
    let writes = world.writes.len();
    world.settle();
    assert_eq!(world.writes.len(), writes + 1, "{:?}", world.writes);
    assert_eq!((world.state(), world.s.link.unusable.as_ref()), (State::Active, None));
}

/// contract#unusable-objects
#[test]
fn a_source_that_cannot_be_read_holds_the_link() {
    let mut world = World::active();
    world.s = world.s.clone().without_source();
    world.s.unusable.source = Some(broken());
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "Unusable"));
    assert_eq!(world.condition("Accepted"), ("True", "Accepted"));
}

/// contract#unusable-objects
#[test]
fn a_target_that_cannot_be_read_leaves_the_alias_without_addresses() {
    let mut world = World::active();
    world.s = world.s.clone().without_target();
    world.s.unusable.target = Some(broken());
    world.settle();
    assert_eq!(world.state(), State::Active);
    let endpoints = world
        .s
        .children
        .slices
        .iter()
        .flat_map(|slice| &slice.object.body.endpoints);
    assert_eq!(endpoints.count(), 0);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "Unusable"));
    assert_eq!(world.condition("Available"), ("False", "Unusable"));
}
