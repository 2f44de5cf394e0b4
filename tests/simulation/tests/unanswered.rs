//! A write whose answer is lost, and whose event is late: nobody tells the operator what stands.

use instancelink_simulation::campaign::{Reference, Tolerance, sweep};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

#[test]
fn a_write_without_an_answer_is_asked_for_before_anything_rests_on_it() {
    let campaign = campaign::start("lost answers and late events");
    let script = scripts::cut_early();
    let reference = Reference::of(&script, Setting::default());
    let (requests, events) = reference.outcome.points;
    let mut plans = Vec::new();
    for request in 1..=requests.min(20) {
        for event in 1..=events.min(30) {
            let faults = vec![
                Fault::Request(request, AtRequest::DoneButSilence),
                Fault::Event(event, AtEvent::VeryLate),
            ];
            plans.push((&reference, Plan(faults), Tolerance::Watches));
        }
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
}
