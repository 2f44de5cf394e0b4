//! What a link remembers of requests (lifecycle#memory-format).

use instancelink_api::{Desired, Intent, Phase, State, Verdict, keys};

use super::World;
use crate::effect::{Effect, Step};
use crate::fixture;
use crate::lifecycle::step;
use instancelink_api::spec::DesiredState;

fn intent(world: &mut World) -> Intent {
    serde_json::from_str(world.annotations().get(keys::INTENT).unwrap()).unwrap()
}

/// lifecycle#take-in-one-write
#[test]
fn one_write_takes_a_request_and_removes_it() {
    let mut world = World::active();
    world.annotate("deactivate/CHG-1");
    let Step::Act(effects) = step(&world.s) else { panic!() };
    let writes: Vec<_> = effects.iter().filter(|e| !matches!(e, Effect::Publish(_))).collect();
    assert!(
        matches!(
            writes.as_slice(),
            [Effect::AcceptAction {
                remove_action: true,
                ..
            }]
        ),
        "{writes:?}"
    );
    world.step().unwrap();
    assert_eq!(world.annotations().get(keys::ACTION), None);
    assert_eq!(world.state(), State::Active, "taken, not acted on yet");
}

/// lifecycle#take-in-one-write
#[test]
fn a_rejection_is_taken_too_and_reported_once() {
    let mut world = World::active();
    world.act("purge");
    assert_eq!(world.last_action().intent.verdict, Verdict::Rejected);
    assert_eq!(world.last_action().intent.reason, "NotPossibleNow");
    assert_eq!(world.last_action().phase, Phase::Rejected);
    assert_eq!(world.last_action().intent.desired, None);
    assert!(world.last_action().message.contains("possible now: deactivate, remove"));
    assert_eq!(world.events.iter().filter(|e| e.warning).count(), 1);
}

/// lifecycle#one-request-at-a-time
#[test]
fn no_request_is_taken_before_the_last_one_is_acknowledged() {
    let mut world = World::active();
    world.annotate("deactivate");
    world.step().unwrap();
    world.annotate("remove");
    let Step::Act(effects) = step(&world.s) else { panic!() };
    assert!(
        matches!(effects.first(), Some(Effect::WriteStatus { .. })),
        "the acknowledgement comes first"
    );
    world.settle();
    assert_eq!(world.last_action().intent.seq, 2);
    assert_eq!(world.state(), State::Removed);
}

/// lifecycle#no-op-counts
#[test]
fn a_no_op_is_the_last_accepted_action_from_then_on() {
    let mut world = World::new(fixture::snapshot().without_source());
    world.settle();
    world.act("deactivate");
    world.act("activate");
    world.s = world.s.clone().with_source();
    world.settle();
    assert_eq!(world.state(), State::Active);
    world.act("activate");
    assert_eq!(
        world.last_action().phase,
        Phase::Completed,
        "the state is reached already"
    );
}

/// lifecycle#handled-values
#[test]
fn a_remembered_value_does_nothing_even_an_older_one() {
    let mut world = World::active();
    world.act("deactivate/1");
    world.act("activate/2");
    assert_eq!(world.state(), State::Active);
    world.writes.clear();
    world.act("deactivate/1");
    assert_eq!(world.state(), State::Active);
    assert!(world.writes.is_empty());
    assert_eq!(
        world.annotations().get(keys::ACTION).map(String::as_str),
        Some("deactivate/1"),
        "the annotation stays"
    );
    world.act("remove/1");
    assert_eq!(
        world.state(),
        State::Removed,
        "the same id with another verb is another request"
    );
}

/// lifecycle#handled-values
#[test]
fn a_value_outside_the_grammar_is_reported_once_and_left_in_place() {
    let mut world = World::active();
    world.act("Stop it!");
    assert_eq!(world.last_action().intent.reason, "InvalidValue");
    assert_eq!(world.last_action().intent.action, "Stop it!");
    assert_eq!(
        world.annotations().get(keys::ACTION).map(String::as_str),
        Some("Stop it!")
    );
    world.writes.clear();
    world.settle();
    assert!(world.writes.is_empty());
    assert_eq!(world.events.iter().filter(|e| e.reason == "InvalidValue").count(), 1);
    world.act("");
    assert!(world.writes.is_empty(), "an empty value is no request");
}

/// lifecycle#rejection-order
#[test]
fn a_link_with_a_desired_state_rejects_activate_and_deactivate() {
    let mut world = World::active();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.desired_state = Some(DesiredState::Active));
    world.act("deactivate");
    assert_eq!(world.last_action().intent.reason, "ManagedBySpec");
    assert_eq!(world.state(), State::Active);
    world.act("remove");
    assert_eq!(world.state(), State::Removed);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_lost_status_is_rebuilt_in_each_resting_state() {
    type Make = fn() -> World;
    let resting: [(Make, State); 3] = [
        (World::active, State::Active),
        (World::inactive, State::Inactive),
        (World::removed, State::Removed),
    ];
    for (make, state) in resting {
        let mut world = make();
        let before = world.status().clone();
        let events = world.events.len();
        world.pass_time(1000);
        world.wipe_status();
        world.settle();
        assert_eq!(world.state(), state);
        let after = world.status();
        assert_eq!(
            after.last_action, before.last_action,
            "{state}: seq, phase and times as they were"
        );
        assert_eq!(after.removed, before.removed, "{state}");
        assert_eq!(world.events.len(), events, "{state}: no event");
    }
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_lost_status_does_not_restart_the_clock_of_a_removed_link() {
    let mut world = World::inactive();
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.ttl_seconds_after_removed = Some(3600));
    world.act("remove");
    world.pass_time(3000);
    world.wipe_status();
    world.settle();
    assert_eq!(world.state(), State::Removed);
    world.pass_time(601);
    world.settle();
    assert_eq!(world.state(), State::Purged);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_lost_status_does_not_restart_the_clock_of_a_purged_link() {
    let mut world = World::removed();
    world.act("purge");
    world.pass_time(3000);
    world.wipe_status();
    world.settle();
    assert_eq!(world.state(), State::Purged);
    world.pass_time(601);
    world.settle();
    assert!(world.gone);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_removal_that_is_rebuilt_through_inactive_keeps_its_time() {
    let mut world = World::active();
    world.s.source = None;
    world.annotate("remove");
    while world.state() != State::Deactivating {
        world.step().unwrap();
    }
    let asked = world.s.now;
    world.wipe_status();
    world.pass_time(100);
    world.settle();
    assert_eq!(world.state(), State::Removed);
    assert_eq!(world.status().removed.as_ref().unwrap().0, asked);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_lost_intent_is_written_again_from_last_action() {
    for make in [World::inactive as fn() -> World, World::removed] {
        let mut world = make();
        let before = intent(&mut world);
        world.strip_annotations();
        world.settle();
        assert_eq!(intent(&mut world), before);
        assert!(
            !world.watched().contains(&State::Activating),
            "an inactive link stays inactive"
        );
    }
}

/// lifecycle#rebuild-lost-memory
#[test]
fn what_follows_a_wait_has_the_time_at_which_the_wait_ended() {
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    let mut world = World::new(fixture::snapshot().with_target_deployment(pods).without_source());
    world.act("activate");
    assert_eq!(world.watched(), [State::Registering]);
    world.pass_time(1000);
    world.s = world.s.clone().with_source();
    world.settle();
    assert_eq!(
        world.watched(),
        [State::Activating],
        "targetWaitSeconds count from here"
    );
    assert_eq!(world.status().history.last().unwrap().at.0, world.s.now);
    world.pass_time(15);
    world.settle();
    assert_eq!(world.watched(), [State::Active]);
    assert_eq!(world.status().history.last().unwrap().at.0, world.s.now);
    assert_eq!(world.last_action().completed_at.as_ref().unwrap().0, world.s.now);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_drain_continues_after_a_lost_status_and_its_end_is_dated() {
    let mut world = World::active();
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":60}"#).unwrap());
    });
    world.act("deactivate");
    world.pass_time(20);
    world.wipe_status();
    world.settle();
    assert_eq!(world.state(), State::Deactivating);
    world.pass_time(40);
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.last_action().completed_at.as_ref().unwrap().0, world.s.now);
}

/// lifecycle#rebuild-lost-memory
#[test]
fn a_link_that_lost_both_copies_is_a_new_link() {
    let mut world = World::removed();
    world.strip_annotations();
    world.wipe_status();
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.status().last_action, None);
}

/// lifecycle#accepted-means-acknowledged
#[test]
fn metadata_replaced_between_taking_and_acknowledging_withdraws_the_request() {
    let mut world = World::active();
    world.annotate("deactivate");
    world.step().unwrap();
    world.strip_annotations();
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.status().last_action, None);
    world.act("activate");
    assert_eq!(world.last_action().intent.seq, 1, "its seq is used again");
}

/// lifecycle#unreadable-intent
#[test]
fn an_intent_of_another_link_counts_as_lost() {
    let copied = World::removed()
        .annotations()
        .get(keys::INTENT)
        .unwrap()
        .replace("shop/web-db", "shop/other");
    let huge = copied
        .replace("shop/other", "shop/web-db")
        .replace("\"seq\":2", "\"seq\":9007199254740993");
    for forged in [copied.as_str(), huge.as_str(), "{", "[]", "null"] {
        let mut world = World::new(fixture::snapshot());
        world.annotations().insert(keys::INTENT.to_owned(), forged.to_owned());
        world.settle();
        assert_eq!(world.state(), State::Active, "{forged}");
        world.act("deactivate");
        assert_eq!(world.last_action().intent.seq, 1, "{forged}");
    }
}

/// lifecycle#unreadable-intent
#[test]
fn a_link_with_the_greatest_seq_takes_no_request_and_writes_nothing() {
    let mut world = World::removed();
    world.s = world.s.clone().edited(|spec| spec.ttl_seconds_after_removed = Some(60));
    let last = world
        .annotations()
        .get(keys::INTENT)
        .unwrap()
        .replace("\"seq\":2", "\"seq\":9007199254740992");
    world.annotations().insert(keys::INTENT.to_owned(), last);
    world.settle();
    assert_eq!(world.last_action().intent.seq, 1 << 53);
    world.writes.clear();
    world.act("restore");
    assert!(world.writes.is_empty(), "the next intent would count as lost");
    assert!(
        world.annotations().contains_key(keys::ACTION),
        "so the request stays in the annotation"
    );
    world.annotations().remove(keys::ACTION);
    world.pass_time(100);
    world.settle();
    assert!(world.writes.is_empty(), "nor does it take the purge by ttl");
    world.delete();
    world.settle();
    assert!(world.gone);
}

/// lifecycle#action-phases
#[test]
fn an_action_is_completed_when_its_resting_state_is_reached() {
    let mut world = World::active();
    world.annotate("deactivate");
    while world.state() != State::Deactivating {
        world.step().unwrap();
    }
    assert_eq!(world.last_action().phase, Phase::Accepted);
    world.settle();
    assert_eq!(world.last_action().phase, Phase::Completed);
    assert!(world.last_action().completed_at.is_some());
}

/// lifecycle#action-phases
#[test]
fn only_a_spec_edit_or_a_delete_supersedes_an_action() {
    let mut world = World::new(fixture::snapshot().without_source());
    world.settle();
    world.act("deactivate");
    assert_eq!(world.last_action().phase, Phase::Accepted);
    world.s = world
        .s
        .clone()
        .edited(|spec| spec.desired_state = Some(DesiredState::Active));
    world.settle();
    assert_eq!(world.last_action().phase, Phase::Superseded);
}

/// lifecycle#manager-is-a-label
#[test]
fn the_field_manager_of_the_annotation_is_recorded() {
    let mut world = World::active();
    world.s.link.action_manager = "kubectl-annotate".to_owned();
    world.act("deactivate");
    assert_eq!(world.last_action().intent.manager, "kubectl-annotate");
    assert_eq!(world.last_action().intent.desired, Some(Desired::Inactive));
}

#[test]
fn the_last_of_several_quick_actions_decides() {
    let mut world = World::active();
    for value in ["deactivate", "remove", "activate"] {
        world.annotate(value);
        world.step().unwrap();
    }
    world.settle();
    assert_eq!(world.state(), State::Active);
}
