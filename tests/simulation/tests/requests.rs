//! One fault at each request: every failure of the API server or the network, before and after the request is executed.

use instancelink_simulation::campaign::{Reference, Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::dice::Dice;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[test]
fn one_fault_at_any_request_changes_neither_the_way_nor_the_end() {
    let name = "one fault at each request";
    run_plans(name, &scripts::all(), Setting::default(), |reference| {
        reference.at_requests(&AtRequest::all(), Tolerance::Requests)
    });
}

#[test]
fn one_fault_at_any_request_of_links_that_write_together_changes_nothing_of_the_end() {
    let name = "one fault at each request of links that are due together";
    run_plans(name, &[scripts::together()], Setting::default(), |reference| {
        reference.at_requests(&AtRequest::all(), Tolerance::Hurry)
    });
}

#[test]
fn two_faults_at_any_two_points_change_nothing_of_the_end() {
    let scripts = scripts::all();
    let mut dice = Dice(campaign::seed());
    let (at_request, at_event) = (AtRequest::all(), AtEvent::all());
    let mut fault = |reference: &Reference<'_>| {
        let (requests, events) = reference.outcome.points;
        if dice.roll(2) == 0 {
            Fault::Request(1 + dice.roll(requests), dice.choose(&at_request))
        } else {
            Fault::Event(1 + dice.roll(events), dice.choose(&at_event))
        }
    };
    let plans: usize = if campaign::long() { 100_000 } else { 1_000 };
    let each = plans.div_ceil(scripts.len());
    run_plans("two faults at a time", &scripts, Setting::default(), |reference| {
        let plan = |_| (Plan(vec![fault(reference), fault(reference)]), Tolerance::Watches);
        (0..each).map(plan).collect()
    });
}
