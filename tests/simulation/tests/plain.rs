//! Every script without faults: it reaches its states, there are no violations, and two runs are equal.

use instancelink_simulation::run::{Setting, run};
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::Plan;

#[test]
fn every_script_comes_to_its_end_when_nothing_goes_wrong() {
    let only = std::env::var("SCRIPT").ok();
    let mut failed = Vec::new();
    let all = || scripts::all().into_iter().chain(scripts::hurried());
    for script in all().filter(|s| only.as_ref().is_none_or(|only| s.name == only)) {
        let started = std::time::Instant::now();
        let outcome = run(&script, &Plan::default(), Setting::default());
        println!(
            "{}: {:?} in {:?}; {:?}",
            script.name,
            outcome.points,
            started.elapsed(),
            outcome.walks
        );
        if !outcome.violations.is_empty() {
            failed.push(format!("{}: {:#?}", script.name, outcome.violations));
            if only.is_some() {
                println!("{:#?}", outcome.log);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
