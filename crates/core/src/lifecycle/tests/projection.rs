//! What the status shows besides the state: the target, the available actions, and the result of the last action.

use instancelink_api::spec::DesiredState;
use instancelink_api::{Phase, State, Verb};

use super::World;
use crate::fixture;

fn drain(world: &mut World, seconds: i64) {
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_value(serde_json::json!({ "drainSeconds": seconds })).unwrap());
    });
    world.settle();
}

fn desire(world: &mut World, state: DesiredState) {
    world.s = world.s.clone().edited(|spec| spec.desired_state = Some(state));
    world.settle();
}

fn step_to(world: &mut World, state: State) {
    while world.state() != state {
        world.step().unwrap();
    }
}

#[test]
fn the_status_has_the_programmed_target_until_its_children_are_gone() {
    let named = |world: &World| world.status().target.as_ref().map(|target| target.name.clone());
    let mut world = World::active();
    assert_eq!(named(&world).as_deref(), Some("pg"));
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.target_instance_ref.as_mut().unwrap().name = "pg2".to_owned());
    step_to(&mut world, State::UpdatingActive);
    assert_eq!(named(&world).as_deref(), Some("pg"));
    world.settle();
    assert_eq!(named(&world).as_deref(), Some("pg2"));
    world.annotate("deactivate");
    step_to(&mut world, State::Deactivating);
    assert_eq!(named(&world).as_deref(), Some("pg2"));
    world.settle();
    assert_eq!(named(&world), None);
}

/// contract#operator-fields
#[test]
fn a_dns_name_that_is_made_of_the_sources_uid_is_absent_until_the_source_is_known() {
    let named = |world: &World| world.status().fqdn.clone();
    let spec = "{linkName: db, instanceRef: {kind: Deployment, name: web.v2}}";
    let mut world = World::new(fixture::of(spec));
    world.settle();
    assert_eq!(named(&world), None, "the hash of no UID is no name");
    assert_eq!(world.status().instance_id, None);
    world.s = world.s.clone().with_source();
    world.settle();
    let name = named(&world).unwrap();
    assert!(
        name.starts_with("db.il-") && name.ends_with(".shop.svc.cluster.local"),
        "{name}"
    );
    world.s = world.s.clone().without_source();
    world.settle();
    assert!(named(&world).is_none_or(|kept| kept == name), "{:?}", named(&world));
}

#[test]
fn a_dns_name_that_is_made_of_the_sources_name_is_known_before_the_source_exists() {
    let spec = "{linkName: db, instanceRef: {kind: Deployment, name: web}}";
    let mut world = World::new(fixture::of(spec));
    world.settle();
    assert_eq!(
        world.status().fqdn.as_deref(),
        Some("db.web-links.shop.svc.cluster.local")
    );
}

#[test]
fn the_status_has_the_dns_name_until_the_link_is_removed() {
    let mut world = World::inactive();
    assert!(world.status().fqdn.is_some());
    world.annotate("remove");
    step_to(&mut world, State::Removing);
    assert!(world.status().fqdn.is_some());
    world.settle();
    assert_eq!(world.status().fqdn, None);
    world.act("restore");
    assert!(world.status().fqdn.is_some());
}

#[test]
fn the_status_keeps_the_account_while_the_namespace_is_not_seen() {
    let mut world = World::active();
    let account = world.status().account_id.clone();
    assert!(account.is_some());
    world.s.namespace.uid.clear();
    world.act("deactivate");
    assert_eq!(world.status().account_id, account);
}

#[test]
fn available_actions_are_those_that_change_something() {
    let mut world = World::active();
    assert_eq!(world.status().available_actions, [Verb::Deactivate, Verb::Remove]);
    drain(&mut world, 60);
    world.delete();
    world.settle();
    assert_eq!(world.state(), State::Deactivating);
    assert!(
        world.status().available_actions.is_empty(),
        "for a link that is being deleted"
    );
    let mut world = World::removed();
    assert_eq!(world.status().available_actions, [Verb::Restore, Verb::Purge]);
    world.annotate("purge");
    step_to(&mut world, State::Purging);
    assert!(world.status().available_actions.is_empty(), "for a purged link");
}

/// lifecycle#action-phases
#[test]
fn a_desired_state_supersedes_an_action_that_asked_for_the_opposite_and_no_other() {
    let waiting = |verb: &str| {
        let mut world = World::new(fixture::snapshot().without_source());
        world.settle();
        world.act(verb);
        assert_eq!(world.last_action().phase, Phase::Accepted, "{verb}");
        world
    };
    for (verb, desired, phase) in [
        ("activate", DesiredState::Inactive, Phase::Superseded),
        ("activate", DesiredState::Active, Phase::Accepted),
        ("deactivate", DesiredState::Active, Phase::Superseded),
        ("deactivate", DesiredState::Inactive, Phase::Accepted),
    ] {
        let mut world = waiting(verb);
        desire(&mut world, desired);
        assert_eq!(world.last_action().phase, phase, "{verb}, then {desired:?}");
    }
    let mut world = World::active();
    drain(&mut world, 60);
    world.act("remove");
    desire(&mut world, DesiredState::Active);
    assert_eq!(
        world.last_action().phase,
        Phase::Accepted,
        "desiredState does not decide about remove"
    );
}

/// lifecycle#action-phases
#[test]
fn a_delete_supersedes_an_unfinished_action_and_no_completed_one() {
    let mut world = World::active();
    drain(&mut world, 60);
    world.act("remove");
    world.delete();
    world.settle();
    assert_eq!(world.last_action().phase, Phase::Superseded);
    let mut world = World::active();
    world.act("activate");
    drain(&mut world, 60);
    world.delete();
    world.settle();
    assert_eq!(world.last_action().phase, Phase::Completed);
}

#[test]
fn an_acknowledged_action_keeps_its_message() {
    let mut world = World::active();
    world.act("deactivate");
    assert_eq!(world.last_action().message, "deactivate accepted");
    world.act("Stop it!");
    assert!(world.last_action().message.starts_with("unknown action 'Stop it!'"));
    world.act("purge");
    let refused = world.last_action().message.clone();
    assert!(refused.starts_with("cannot purge: the link is inactive"));
    desire(&mut world, DesiredState::Active);
    assert_eq!(world.last_action().message, refused);
    world.wipe_status();
    world.settle();
    assert_eq!(
        world.last_action().message,
        "cannot purge: the link is requested; possible now: remove",
        "a message that is rebuilt has the present state"
    );
}

#[test]
fn a_removed_link_has_no_programmed_hash() {
    assert!(World::inactive().status().programmed_hash.is_some());
    assert_eq!(World::removed().status().programmed_hash, None);
}

#[test]
fn a_rejection_keeps_its_reason_when_another_one_applies_at_the_acknowledgement() {
    let mut world = World::active();
    drain(&mut world, 60);
    desire(&mut world, DesiredState::Active);
    world.annotate("deactivate");
    world.step().unwrap();
    world.delete();
    world.settle();
    assert_eq!(world.last_action().message, "deactivate rejected: ManagedBySpec");
}

#[test]
fn a_rejection_whose_message_no_longer_applies_is_shown_by_its_reason() {
    let mut world = World::active();
    desire(&mut world, DesiredState::Active);
    world.act("deactivate");
    assert_eq!(world.last_action().intent.reason, "ManagedBySpec");
    world.s = world.s.clone().edited(|spec| spec.desired_state = None);
    world.wipe_status();
    world.settle();
    assert_eq!(world.last_action().message, "deactivate rejected: ManagedBySpec");
}

#[test]
fn a_problem_gets_one_event_and_what_is_only_pending_gets_none() {
    let told = |world: &World| -> Vec<String> { world.events.iter().map(|event| event.reason.clone()).collect() };
    let mut world = World::active();
    assert!(told(&world).is_empty());
    world.s.target = None;
    world.settle();
    world.pass_time(100);
    world.s = world.s.clone().edited(|spec| spec.name = Some("Orders".to_owned()));
    world.settle();
    assert_eq!(told(&world), ["TargetNotFound"]);
    world.s.target = fixture::snapshot().target;
    world.settle();
    world.s.target = None;
    world.settle();
    assert_eq!(
        told(&world),
        ["TargetNotFound", "TargetNotFound"],
        "a new problem gets an event"
    );
}

#[test]
fn a_terminating_namespace_gets_no_events() {
    for (terminating, told) in [(false, 2), (true, 0)] {
        let mut world = World::active();
        world.s.namespace.terminating = terminating;
        world.s.target = None;
        world.act("deactivate");
        world.settle();
        assert_eq!(world.events.len(), told);
        assert_eq!(world.state(), State::Inactive);
    }
}

#[test]
fn each_transitional_state_has_a_message_on_entry() {
    let mut seen = Vec::new();
    let mut note = |world: &World| seen.push((world.state(), world.status().transitioning_message.clone()));
    let mut world = World::new(fixture::snapshot());
    for wanted in [
        (None, State::Activating),
        (Some("deactivate"), State::Deactivating),
        (Some("remove"), State::Removing),
        (Some("restore"), State::Restoring),
        (Some("remove"), State::Removed),
        (Some("purge"), State::Purging),
    ] {
        if let (Some(verb), _) = wanted {
            world.settle();
            world.annotate(verb);
        }
        step_to(&mut world, wanted.1);
        note(&world);
    }
    let said = |state: State, message: &str| (state, Some(message.to_owned()));
    assert_eq!(
        seen,
        [
            said(State::Activating, "creating the link's objects"),
            said(State::Deactivating, "deleting the link's objects"),
            said(State::Removing, "releasing the alias"),
            said(State::Restoring, "claiming the alias again"),
            (State::Removed, None),
            said(State::Purging, "deleting what is left of the link"),
        ]
    );
}
