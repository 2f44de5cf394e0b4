//! What a link costs in memory, in bytes of the heap: no machine's page and no allocator's habit is in the figure.

use std::alloc::System;

use instancelink_simulation::footprint::weigh;
use instancelink_testkit::campaign;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes of an active link, with its part of what links share. Who changes it tells why.
const KNOWN: u64 = 3_110;
/// Per cent that a change may cost, or save, unnoticed.
const UNNOTICED: u64 = 5;
/// Tables that double are as full at either number.
const LINKS: u64 = 1500;

fn heap() -> u64 {
    let stats = GLOBAL.stats();
    (stats.bytes_allocated - stats.bytes_deallocated) as u64
}

#[test]
fn a_link_weighs_as_many_bytes_as_it_did() {
    let campaign = campaign::start("bytes a link");
    let [some, twice] = [LINKS, 2 * LINKS].map(|links| weigh(links, heap));
    let bytes = (twice - some) / LINKS;
    println!("{bytes} bytes a link, {KNOWN} known; {some} of {LINKS} links, {twice} of twice as many");
    let unnoticed = KNOWN * UNNOTICED / 100;
    let advice = if bytes > KNOWN + unnoticed {
        Some("find out what costs them, or say why they have to be")
    } else if bytes + unnoticed < KNOWN {
        Some("well done; write the new figure down")
    } else {
        None
    };
    let violations = advice.map(|advice| format!("{bytes} bytes a link, {KNOWN} before: {advice}"));
    campaign.finish(2 * LINKS, 0, violations.as_slice());
}
