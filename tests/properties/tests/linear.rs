//! Requests are linearizable, link by link: clients that overwrite each other, watchers that hear late and two operators
//! at once see what some single order of them would have shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected is a failed test"
)]

use std::time::Duration;

use instancelink_api::{State, Verb};
use instancelink_properties::linear::{Draw, Event, What, history, linearizable};
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
        || prop::collection::vec(draw(), 1..60),
        |draws| {
            let history = history(draws);
            if linearizable(&history) {
                Ok(())
            } else {
                Err(format!("no order of {history:#?}\n  drawn {draws:?}"))
            }
        },
    );
    row.finish(done.cases, 0, &done.violations);
}

fn draw() -> impl Strategy<Value = Draw> {
    prop_oneof![
        3 => prop::sample::select(Verb::ALL.to_vec()).prop_map(Draw::Annotate),
        2 => Just(Draw::Read),
        2 => Just(Draw::Hear),
        3 => any::<bool>().prop_map(Draw::Observe),
        12 => any::<bool>().prop_map(Draw::Step),
    ]
}

#[test]
fn a_history_whose_reader_sees_an_answered_request_undone_has_no_order() {
    let draws: Vec<Draw> = [Draw::Observe(false), Draw::Step(false)]
        .into_iter()
        .cycle()
        .take(40)
        .collect();
    let mut history = history(&draws);
    assert!(linearizable(&history));
    let end = history.events.iter().map(|event| event.returned).max().unwrap() + 1;
    history.events.push(Event {
        called: end,
        returned: end,
        what: What::Read(State::Requested, 0, None),
    });
    assert!(!linearizable(&history));
}
