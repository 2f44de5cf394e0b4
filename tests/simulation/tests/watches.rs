//! One fault at each event of a watch: late, doubled, broken off, listed anew, hidden; and operators that are started
//! again on a replica that is behind.

use instancelink_simulation::campaign::{Reference, Tolerance, sweep};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

#[test]
fn one_fault_at_any_event_changes_nothing_of_the_end() {
    let campaign = campaign::start("one fault at each event of a watch");
    let scripts = scripts::all();
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, Setting::default())).collect();
    let mut plans = Vec::new();
    for reference in &references {
        for n in 1..=reference.outcome.points.1 {
            for what in AtEvent::all() {
                plans.push((reference, Plan(vec![Fault::Event(n, what)]), Tolerance::Watches));
            }
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}

#[test]
fn what_changes_and_changes_back_unseen_ends_as_if_it_had_been_seen() {
    let campaign = campaign::start("cancelling pairs, hidden or late at each event");
    let scripts = scripts::hurried();
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, Setting::default())).collect();
    let mut plans = Vec::new();
    for reference in &references {
        for n in 1..=reference.outcome.points.1 {
            for what in AtEvent::all() {
                plans.push((reference, Plan(vec![Fault::Event(n, what)]), Tolerance::Hurry));
            }
        }
        for n in 1..=reference.outcome.points.0 {
            for what in AtRequest::all() {
                plans.push((reference, Plan(vec![Fault::Request(n, what)]), Tolerance::Hurry));
            }
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}

#[test]
fn an_operator_that_wakes_up_in_the_past_does_no_harm() {
    let campaign = campaign::start("crash at each request, started again in the past");
    let scripts = scripts::all();
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, Setting::default())).collect();
    let mut plans = Vec::new();
    for reference in &references {
        for n in 1..=reference.outcome.points.0 {
            for versions in [1, 3, 8, 20] {
                let what = AtRequest::CrashIntoPast(versions);
                plans.push((reference, Plan(vec![Fault::Request(n, what)]), Tolerance::Watches));
            }
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}
