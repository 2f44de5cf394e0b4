//! One fault at each request: every failure that the API server or the network can give, before and after it is done.

use instancelink_simulation::campaign::{Reference, Tolerance, sweep};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtRequest, Fault, Plan};

#[test]
fn one_fault_at_any_request_changes_neither_the_way_nor_the_end() {
    let campaign = campaign::start("one fault at each request");
    let scripts = scripts::all();
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, Setting::default())).collect();
    let mut plans = Vec::new();
    for reference in &references {
        for n in 1..=reference.outcome.points.0 {
            for what in AtRequest::all() {
                plans.push((reference, Plan(vec![Fault::Request(n, what)]), Tolerance::Requests));
            }
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}
