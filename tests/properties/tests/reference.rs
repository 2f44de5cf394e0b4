//! The reference model: after any sequence of operations, a link rests where the specification says, after the states
//! that it says, with the answers to requests that it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value is a failed test"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use instancelink_properties::agreement;
use instancelink_properties::drive::Driven;
use instancelink_properties::model::Model;
use instancelink_properties::operation::{Operation, operation};
use instancelink_properties::sequences::{Plan, run};
use instancelink_testkit::campaign;
use proptest::prelude::*;

#[test]
fn campaign_every_sequence_ends_as_the_reference_model_says() {
    let row = campaign::start("sequences against the reference model");
    let (cases, time) = if campaign::long() {
        (5_000_000, Duration::from_hours(4))
    } else {
        (100_000, Duration::from_mins(10))
    };
    let operations = AtomicU64::new(0);
    let done = run(
        Plan {
            seed: campaign::seed(),
            cases,
            time,
        },
        lengths,
        |sequence| {
            operations.fetch_add(sequence.len() as u64, Ordering::Relaxed);
            follow(sequence)
        },
    );
    println!("operations: {}", operations.into_inner());
    row.finish(done.cases, 0, &done.violations);
}

/// Most sequences are short, because most bugs show in few steps; some are long, for what accumulates.
fn lengths() -> impl Strategy<Value = Vec<Operation>> {
    prop_oneof![
        19 => prop::collection::vec(operation(), 1..25),
        1 => prop::collection::vec(operation(), 1..201),
    ]
}

fn follow(sequence: &[Operation]) -> Result<(), String> {
    let mut model = Model::default();
    let mut driven = Driven::default();
    model.rest();
    driven.world.settle();
    agreement::check(&mut model, &mut driven.world).map_err(|difference| format!("at the start: {difference}"))?;
    for (n, operation) in sequence.iter().enumerate() {
        model.apply(operation);
        model.rest();
        driven.operate(operation);
        agreement::check(&mut model, &mut driven.world)
            .map_err(|difference| format!("{difference}\n  after {:?}", &sequence[..=n]))?;
        if model.gone {
            break;
        }
    }
    Ok(())
}
