//! Rollback (lifecycle#good-after-bad): for every field of the spec and many values, restoring the old spec gives the
//! same end as a new link.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value is a failed test"
)]

use std::time::Duration;

use instancelink_properties::rollback::{Field, GOOD, Trial, fields, run_trial, values};
use instancelink_properties::sequences::{Plan, run};
use instancelink_testkit::campaign;
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn campaign_a_link_whose_field_is_restored_ends_like_a_new_one() {
    let row = campaign::start("rollback of every field of the spec");
    let mut violations = Vec::new();
    let mut tried = 0;
    let mut refused = 0;
    for good in GOOD {
        let good: Value = serde_json::from_str(good).unwrap();
        for Field(field) in fields() {
            for value in values(&field).unwrap_or_else(|| panic!("{field} is a new field: add values to try in it")) {
                for (steps, seconds) in [
                    (None, 0),
                    (None, 5000),
                    (Some(1), 0),
                    (Some(2), 0),
                    (Some(3), 30),
                    (Some(5), 0),
                ] {
                    let trial = Trial {
                        good: good.clone(),
                        bad: vec![(field.clone(), value.clone())],
                        steps,
                        seconds,
                    };
                    match run_trial(&trial) {
                        Some(Ok(())) => tried += 1,
                        Some(Err(violation)) => violations.push(violation),
                        None => refused += 1,
                    }
                }
            }
        }
    }
    println!("refused by the API's types: {refused}");
    row.finish(tried + violations.len() as u64, 0, &violations);
}

#[test]
fn campaign_a_link_whose_fields_are_restored_at_any_step_ends_like_a_new_one() {
    let row = campaign::start("rollback of several fields at any step");
    let cases = if campaign::long() { 200_000 } else { 10_000 };
    let done = run(
        Plan {
            seed: campaign::seed(),
            cases,
            time: Duration::from_mins(if campaign::long() { 120 } else { 5 }),
        },
        trial,
        |trial| run_trial(trial).unwrap_or(Ok(())),
    );
    row.finish(done.cases, 0, &done.violations);
}

fn trial() -> impl Strategy<Value = Trial> {
    let pairs: Vec<(String, Value)> = fields()
        .into_iter()
        .flat_map(|Field(field)| {
            values(&field)
                .unwrap()
                .into_iter()
                .map(move |value| (field.clone(), value))
        })
        .collect();
    let good = prop::sample::select(GOOD.to_vec()).prop_map(|good| serde_json::from_str(good).unwrap());
    let bad = prop::collection::vec(prop::sample::select(pairs), 1..4);
    let steps = prop::option::of(0..12_u8);
    let seconds = prop::sample::select(vec![0_i64, 10, 70, 4000]);
    (good, bad, steps, seconds).prop_map(|(good, bad, steps, seconds)| Trial {
        good,
        bad,
        steps,
        seconds,
    })
}
