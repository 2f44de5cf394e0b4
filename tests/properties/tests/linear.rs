//! Requests of one link are linearizable: clients that overwrite each other, watchers that read late and two operators
//! at once see what one sequential order of the requests would show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value is a failed test"
)]

use std::time::Duration;

use instancelink_api::{State, Verb};
use instancelink_properties::linear::{Action, Event, EventKind, history, linearizable};
use instancelink_properties::sequences::{Plan, run};
use instancelink_testkit::campaign;
use proptest::prelude::*;

#[test]
fn campaign_every_history_of_requests_is_linearizable() {
    let row = campaign::start("linearizability of interleaved requests");
    let cases = if campaign::long() { 50_000 } else { 5_000 };
    let done = run(
        Plan {
            seed: campaign::seed(),
            cases,
            time: Duration::from_mins(if campaign::long() { 120 } else { 5 }),
        },
        || prop::collection::vec(action(), 1..60),
        |actions| {
            let history = history(actions);
            if linearizable(&history) {
                Ok(())
            } else {
                Err(format!("no order of {history:#?}\n  actions {actions:?}"))
            }
        },
    );
    row.finish(done.cases, 0, &done.violations);
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => prop::sample::select(Verb::ALL.to_vec()).prop_map(Action::Annotate),
        2 => Just(Action::StartRead),
        2 => Just(Action::FinishRead),
        3 => any::<bool>().prop_map(Action::Observe),
        12 => any::<bool>().prop_map(Action::Step),
    ]
}

#[test]
fn a_history_in_which_a_reader_sees_an_older_state_has_no_order() {
    let actions: Vec<Action> = [Action::Observe(false), Action::Step(false)]
        .into_iter()
        .cycle()
        .take(40)
        .collect();
    let mut history = history(&actions);
    assert!(linearizable(&history));
    let end = history.events.iter().map(|event| event.returned).max().unwrap() + 1;
    history.events.push(Event {
        called: end,
        returned: end,
        kind: EventKind::Read(State::Requested, 0, None),
    });
    assert!(!linearizable(&history));
}
