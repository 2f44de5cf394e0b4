//! One operator with a long life and many links: there are no violations, all links rest as their specs say, and the
//! heap is no larger at the end than halfway.

#![allow(clippy::indexing_slicing)]

mod heap;

use std::time::Duration;

use instancelink_simulation::soak::{self, Size};
use instancelink_testkit::campaign;

use heap::heap;

/// These slots are filled each morning and emptied each night.
const ORDINARY: Size = Size {
    namespaces: 10,
    links_each: 20,
    days: 7,
    day: Duration::from_secs(30),
    pace: 4,
};
const LONG: Size = Size {
    namespaces: 100,
    links_each: 100,
    days: 7,
    day: Duration::from_mins(10),
    pace: 15,
};

/// The bytes that may be left for each deleted link: less than a record of it needs.
const A_LINK: u64 = 100;

#[test]
fn an_operator_that_lives_long_among_many_links_loses_nothing_and_does_not_grow() {
    let campaign = campaign::start("soak: churn and faults");
    let size = if campaign::long() { LONG } else { ORDINARY };
    let report = soak::run(size, campaign::seed(), heap);
    let links = size.namespaces * size.links_each;
    println!(
        "soak: {links} links, {:?}, {} deeds, {} actions, {} requests, {} faults",
        report.virtual_time, report.deeds, report.actions, report.requests, report.faults
    );
    println!("heap at rest, each night: {:?}", report.nights);
    let mut violations = report.violations.clone();
    violations.extend(growth(&report.nights, links));
    campaign.finish(report.deeds, report.faults, &violations);
}

/// A violation if the heap grew too much from the middle of the run to its end. The first half does not count: in it,
/// the operator allocates memory that it allocates only once, for example for the metric of a rare failure. Each value
/// is the smaller one of two nights.
fn growth(nights: &[u64], links: u32) -> Option<String> {
    let least = |nights: &[u64]| nights.iter().min().copied().unwrap_or_default();
    let (half, end) = (nights.len() / 2, nights.len());
    let (before, after) = (least(&nights[half - 1..=half]), least(&nights[end - 2..]));
    let days = (end - 1 - half) as u64;
    let allowed = days * u64::from(links) * A_LINK;
    (after > before + allowed).then(|| {
        let grown = after - before;
        format!("the heap has grown by {grown} bytes in {days} days, of {links} links each: {nights:?}")
    })
}
