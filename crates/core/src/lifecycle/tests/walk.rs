//! What a link does in each state (lifecycle#walk), and what each state guarantees.

use instancelink_api::{Phase, State};

use super::World;
use crate::child::Kind;
use crate::effect::{Effect, Step};
use crate::fixture;
use crate::lifecycle::{TABLE, is_edge, step};
use crate::refusal::Refusal;
use instancelink_api::condition::Reason;
use instancelink_api::spec::{Addressing, DesiredState};

#[test]
fn the_table_holds_every_edge_once() {
    let edges: Vec<_> = TABLE.iter().flat_map(|process| process.edges).collect();
    let mut unique = edges.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(edges.len(), unique.len());
    assert!(edges.iter().all(|(from, to)| from != to));
    assert!(edges.iter().all(|(from, to)| is_edge(*from, *to)));
    assert!(!is_edge(State::Active, State::Purged));
}

#[test]
fn a_link_whose_source_comes_later_waits_in_registering() {
    let mut world = World::new(fixture::snapshot().without_source());
    world.settle();
    assert_eq!(world.watched(), [State::Registering]);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "SourceNotFound"));
    assert_eq!(
        world.condition("Reconciling").0,
        "True",
        "a missing source may still be created"
    );
    world.s = world.s.clone().with_source();
    world.settle();
    assert_eq!(world.watched(), [State::Activating, State::Active]);
}

#[test]
fn a_converged_link_costs_no_write() {
    for mut world in [World::active(), World::inactive(), World::removed()] {
        world.writes.clear();
        world.pass_time(3600);
        world.settle();
        assert!(world.writes.is_empty());
    }
}

#[test]
fn activating_waits_for_a_ready_endpoint_and_no_longer_than_the_spec_says() {
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    let mut world = World::new(fixture::snapshot().with_target_deployment(pods));
    let wake = world.settle();
    assert_eq!(world.watched(), [State::Activating]);
    assert!(wake.is_some());
    world.pass_time(15);
    world.settle();
    assert_eq!(world.watched(), [State::Active]);
    assert_eq!(world.condition("Available"), ("False", "NoReadyEndpoints"));
    assert_eq!(
        world.condition("Ready").0,
        "True",
        "an active link without endpoints is in the desired state"
    );
}

/// lifecycle#target-wait-delays-active-only
#[test]
fn a_target_that_is_not_ready_never_blocks_deactivate_remove_or_delete() {
    let pods = || vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    for verb in ["deactivate", "remove"] {
        let mut world = World::new(fixture::snapshot().with_target_deployment(pods()));
        world.settle();
        world.act(verb);
        assert!(matches!(world.state(), State::Inactive | State::Removed));
    }
    let mut world = World::new(fixture::snapshot().with_target_deployment(pods()));
    world.settle();
    world.delete();
    world.settle();
    assert!(world.gone);
}

#[test]
fn an_edit_of_name_or_description_does_not_change_the_state() {
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.description = Some("orders".to_owned()));
    world.settle();
    assert!(world.watched().is_empty());
    assert_eq!(world.status().description.as_deref(), Some("orders"));
    assert_eq!(world.status().observed_generation, Some(2));
}

/// lifecycle#programmed-hash
#[test]
fn an_update_is_found_again_after_a_crash() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| spec.target_instance_ref = None);
    world.step().unwrap();
    assert_eq!(world.watched(), [State::UpdatingActive]);
    // The operator crashed here. The next one sees only what is in the cluster.
    world.settle();
    assert_eq!(world.watched(), [State::Active]);
    assert_eq!(world.condition("ResolvedRefs"), ("True", "NoTarget"));
}

/// lifecycle#programmed-hash
#[test]
fn a_reference_with_its_defaults_written_out_is_no_update() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        let target = spec.target_instance_ref.as_mut().unwrap();
        target.api_version = Some("apps/v1".to_owned());
        target.namespace = Some("shop".to_owned());
    });
    world.settle();
    assert!(world.watched().is_empty());
}

/// lifecycle#unservable-spec-waits
#[test]
fn a_spec_that_cannot_be_served_waits_in_updating_active_and_says_so() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| spec.addressing = Addressing::ServiceIP);
    world.settle();
    assert_eq!(world.watched(), [State::UpdatingActive]);
    assert_eq!(world.condition("Accepted"), ("False", "AddressingNotPossible"));
    assert_eq!(world.condition("Stalled"), ("True", "AddressingNotPossible"));
    assert_eq!(serde_json::to_value(world.status().transitioning).unwrap(), "error");
    assert_eq!(
        world.condition("Available").0,
        "True",
        "the alias still resolves to what was programmed"
    );
    world.act("deactivate");
    assert_eq!(world.state(), State::Inactive, "and the link can be deactivated");
}

/// lifecycle#unservable-spec-waits
#[test]
fn updating_inactive_always_continues() {
    let mut world = World::inactive();
    world.s = world.s.clone().edited(|spec| spec.addressing = Addressing::ServiceIP);
    world.settle();
    assert_eq!(world.watched(), [State::UpdatingInactive, State::Inactive]);
    assert_eq!(world.condition("Ready").0, "True", "inactive on purpose");
}

/// lifecycle#refused-child-holds-state
#[test]
fn a_refused_child_holds_the_state_and_not_the_other_children() {
    let mut world = World::new(fixture::snapshot());
    while world.s.children.directories.is_empty() {
        world.step().unwrap();
    }
    let Step::Act(effects) = step(&world.s) else {
        panic!("slices are due")
    };
    let Some(Effect::Create { child }) = effects.first() else {
        panic!("a slice is due")
    };
    let message = "may not create EndpointSlices".to_owned();
    world.s.refusals.insert(
        child.key(),
        Refusal {
            reason: Reason::Forbidden,
            message,
        },
    );
    for _ in 0..5 {
        if world.step().is_err() {
            break;
        }
    }
    assert_eq!(world.state(), State::Activating);
    assert_eq!(world.condition("Programmed"), ("False", "Forbidden"));
    assert_eq!(world.condition("Stalled"), ("True", "Forbidden"));
    assert_eq!(world.s.children.environments.len(), 1);
    assert_eq!(
        world.events.iter().filter(|e| e.reason == "Forbidden").count(),
        1,
        "one event"
    );
    world.settle();
    assert_eq!(world.state(), State::Active, "the next pass tries again");
}

/// lifecycle#forbidden-deletion-waits
#[test]
fn a_refused_deletion_holds_the_state_and_waits_for_a_person() {
    let mut world = World::active();
    let slice = fixture::key(Kind::Slice, "web-db-v4");
    let refusal = Refusal {
        reason: Reason::Forbidden,
        message: "may not delete EndpointSlices".to_owned(),
    };
    world.s.refusals.insert(slice, refusal);
    world.annotate("deactivate");
    while world.step().is_ok() {}
    assert_eq!(world.state(), State::Deactivating);
    assert_eq!(world.condition("Stalled"), ("True", "Forbidden"));
    world.settle();
    assert_eq!(world.state(), State::Inactive, "the next pass tries again");
}

/// lifecycle#restore-through-inactive
#[test]
fn a_restore_with_desired_state_active_goes_through_inactive() {
    let mut world = World::removed();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.desired_state = Some(DesiredState::Active));
    world.settle();
    assert!(world.watched().is_empty(), "a removed link only records the edit");
    world.act("restore");
    assert_eq!(
        world.watched(),
        [State::Restoring, State::Inactive, State::Activating, State::Active]
    );
    assert_eq!(world.last_action().phase, Phase::Completed);
    assert_eq!(world.status().removed, None);
}

/// lifecycle#repair-in-place
#[test]
fn a_damaged_child_is_repaired_and_a_stray_one_deleted_without_a_state_change() {
    let mut world = World::active();
    let slices = world.s.children.slices.clone();
    world.s.children.slices.clear();
    world.settle();
    assert!(world.watched().is_empty());
    assert_eq!(world.s.children.slices.len(), slices.len());

    let mut parked = World::inactive();
    parked.s.children.slices = slices;
    parked.settle();
    assert!(parked.watched().is_empty());
    assert!(parked.s.children.slices.is_empty());
}

/// lifecycle#terminating-source
#[test]
fn a_deleted_source_holds_the_link_and_a_new_one_ends_the_hold() {
    let mut world = World::active();
    world.s.source.as_mut().unwrap().terminating = true;
    world.settle();
    assert!(
        world.watched().is_empty(),
        "the garbage collector works while the source is being deleted"
    );
    world.s = world.s.clone().without_source();
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("Ready"), ("False", "Held"));
    assert_eq!(world.status().instance_id, None);
    world.s = world.s.clone().with_source_uid("22222222-bbbb-4bbb-8bbb-000000000002");
    world.settle();
    assert_eq!(world.watched(), [State::Activating, State::Active]);
}

/// lifecycle#terminating-source
#[test]
fn a_terminating_source_activates_nothing() {
    let mut world = World::new(fixture::snapshot());
    world.s.source.as_mut().unwrap().terminating = true;
    world.settle();
    assert_eq!(world.watched(), [State::Registering]);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "SourceNotFound"));
    let mut world = World::inactive();
    world.s.source.as_mut().unwrap().terminating = true;
    world.act("activate");
    assert_eq!(world.condition("Ready"), ("False", "Held"));
    assert_eq!(world.condition("Reconciling"), ("True", "SourceNotFound"));
    assert!(world.watched().is_empty());
    assert_eq!(world.last_action().phase, Phase::Accepted);
}

#[test]
fn a_lost_target_is_no_hold_and_heals() {
    let mut world = World::active();
    let target = world.s.target.take();
    world.settle();
    assert!(world.watched().is_empty());
    assert_eq!(world.condition("Available"), ("False", "TargetNotFound"));
    assert_eq!(world.condition("ResolvedRefs"), ("False", "TargetNotFound"));
    assert_eq!(world.condition("Ready").0, "True");
    world.s.target = target;
    world.settle();
    assert_eq!(world.condition("Available").0, "True");
}

#[test]
fn desired_state_deactivates_and_activates_a_link() {
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.desired_state = Some(DesiredState::Inactive));
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("Ready").0, "True");
    world.s = world.s.clone().edited(|spec| spec.desired_state = None);
    world.settle();
    assert_eq!(
        world.watched(),
        [State::Activating, State::Active],
        "unset later, with no action ever: Active"
    );
}
