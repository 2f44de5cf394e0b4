//! One fault at each event of a watch: delayed, doubled, broken off, listed again, hidden; and operators that restart
//! on a stale replica.

use instancelink_simulation::campaign::{Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[test]
fn one_fault_at_any_event_changes_nothing_of_the_end() {
    let name = "one fault at each event of a watch";
    run_plans(name, &scripts::all(), Setting::default(), |reference| {
        reference.at_events(&AtEvent::all(), Tolerance::Watches)
    });
}

#[test]
fn what_changes_and_changes_back_unseen_ends_as_if_it_had_been_seen() {
    let name = "cancelling pairs, hidden or late at each event";
    run_plans(name, &scripts::hurried(), Setting::default(), |reference| {
        let mut plans = reference.at_events(&AtEvent::all(), Tolerance::Hurry);
        plans.extend(reference.at_requests(&AtRequest::all(), Tolerance::Hurry));
        plans
    });
}

#[test]
fn an_operator_that_wakes_up_in_the_past_does_no_harm() {
    let name = "crash at each request, started again in the past";
    run_plans(name, &scripts::all(), Setting::default(), |reference| {
        let plans = reference.at_requests(&[AtRequest::CrashIntoPast(8)], Tolerance::Watches);
        let behind = |(plan, tolerance): (Plan, _)| (plan.and(Fault::Behind(2)), tolerance);
        plans.into_iter().map(behind).collect()
    });
}
