//! A write with a lost answer and a delayed event: the operator does not know the result.

use instancelink_simulation::campaign::{Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

#[test]
fn a_write_without_an_answer_is_asked_for_before_anything_rests_on_it() {
    let script = scripts::cut_early();
    run_plans(
        "lost answers and late events",
        &[script],
        Setting::default(),
        |reference| {
            let (requests, events) = reference.outcome.points;
            let mut plans = Vec::new();
            for request in 1..=requests.min(20) {
                for event in 1..=events.min(30) {
                    let faults = vec![
                        Fault::Request(request, AtRequest::DoneButSilence),
                        Fault::Event(event, AtEvent::VeryLate),
                    ];
                    plans.push((Plan(faults), Tolerance::Watches));
                }
            }
            plans
        },
    );
}
