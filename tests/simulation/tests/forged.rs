//! The editor of another namespace makes objects with all marks of a link's children, and holds them and the link's policy with
//! finalizers. The link is cut and deleted as if they did not exist.

use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::run::{Setting, run};
use instancelink_simulation::script::Script;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

/// lifecycle#no-wait-for-others
#[test]
fn what_the_editor_of_another_namespace_forges_or_holds_keeps_no_link() {
    let campaign = campaign::start("children forged in other namespaces");
    let scripts = scripts::forged();
    let mut runs: Vec<(&Script, Plan)> = Vec::new();
    for script in &scripts {
        runs.push((script, Plan::default()));
        let (requests, events) = run(script, &Plan::default(), Setting::default()).points;
        for n in (1..=requests).step_by(13) {
            runs.push((script, Plan(vec![Fault::Request(n, AtRequest::DoneButReset)])));
            runs.push((script, Plan(vec![Fault::Request(n, AtRequest::Crash)])));
        }
        for n in (1..=events).step_by(31) {
            runs.push((script, Plan(vec![Fault::Event(n, AtEvent::VeryLate)])));
        }
    }
    let (faults, violations) = side_by_side(&runs, |(script, plan)| {
        let found = run(script, plan, Setting::default());
        let shown = |what: String| format!("'{}' {plan}: {what}", script.name);
        (found.injected, found.violations.into_iter().map(shown).collect())
    });
    campaign.finish(runs.len() as u64, faults, &violations);
}
