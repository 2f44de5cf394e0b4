//! Two operators, one of which leads: the leader dies at each request, or stands still for longer than its lease lasts and
//! goes on where it was.

use instancelink_simulation::campaign::{Reference, Tolerance, sweep};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtRequest, Fault, Plan};

#[test]
fn a_leader_that_dies_or_comes_back_as_a_zombie_does_no_harm() {
    let campaign = campaign::start("leader lost at each request");
    let scripts = scripts::all();
    let pair = Setting { pair: true };
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, pair)).collect();
    let mut plans = Vec::new();
    for reference in &references {
        plans.push((reference, Plan(vec![Fault::Skew(30)]), Tolerance::Requests));
        plans.push((reference, Plan(vec![Fault::Skew(-30)]), Tolerance::Requests));
        for n in 1..=reference.outcome.points.0 {
            for what in [AtRequest::Crash, AtRequest::DoneButCrash, AtRequest::Pause] {
                plans.push((reference, Plan(vec![Fault::Request(n, what)]), Tolerance::Watches));
            }
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}
