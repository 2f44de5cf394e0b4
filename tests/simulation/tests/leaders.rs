//! Two operators with leader election: the leader dies at each request, or pauses for longer than its lease and
//! continues.

use instancelink_simulation::campaign::{Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::{AtRequest, Fault, Plan};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[test]
fn a_leader_that_dies_or_comes_back_as_a_zombie_does_no_harm() {
    let pair = Setting { pair: true };
    run_plans("leader lost at each request", &scripts::all(), pair, |reference| {
        let lost = [AtRequest::Crash, AtRequest::DoneButCrash, AtRequest::Pause];
        let mut plans = reference.at_requests(&lost, Tolerance::Watches);
        plans.extend([30, -30].map(|seconds| (Plan(vec![Fault::Skew(seconds)]), Tolerance::Requests)));
        plans
    });
}

#[test]
fn an_operator_whose_watches_are_behind_takes_over_and_does_no_harm() {
    let (name, pair) = ("leader lost to one that is behind", Setting { pair: true });
    run_plans(name, &scripts::all(), pair, |reference| {
        let plans = reference.at_requests(&[AtRequest::Crash, AtRequest::DoneButCrash], Tolerance::Watches);
        let behind = |(plan, tolerance): (Plan, _)| (plan.and(Fault::Behind(2)), tolerance);
        plans.into_iter().map(behind).collect()
    });
}
