//! Another tenant makes random writes in its namespace: what a tenant sees of its own links is the same as without it.

use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::tenants::{History, Quiet};
use instancelink_testkit::campaign;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many histories run.
const ORDINARY: u64 = 10_000;
const LONG: u64 = 200_000;
/// Histories of two seeds of the campaign have no seed of their own in common.
const APART: u64 = 1_000_000;

#[test]
fn whatever_a_tenant_writes_another_one_sees_what_it_sees_without_it() {
    let campaign = campaign::start("another tenant writes: the same is seen");
    let quiet = Quiet::run();
    let count = std::env::var("INSTANCELINK_HISTORIES")
        .ok()
        .and_then(|count| count.parse().ok());
    let count = count.unwrap_or(if campaign::long() { LONG } else { ORDINARY });
    let first = campaign::seed() * APART;
    let histories: Vec<History> = (first..first + count).map(History::of).collect();
    let (sent, violations) = side_by_side(&histories, |history| quiet.judge(history));
    println!("{sent} writes of the other tenant were not refused");
    campaign.finish(count, sent, &violations);
}
