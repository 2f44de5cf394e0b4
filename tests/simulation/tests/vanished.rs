//! Another client deletes a child, or replaces it by one with its content, right before the operator writes it. What the
//! API server then answers is not the operator's own doing: each link that the child concerns gets a turn.

use instancelink_simulation::campaign::{Reference, Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

const FOREIGN: [AtRequest; 2] = [AtRequest::DeletedFirst, AtRequest::RecreatedFirst];

fn plans(reference: &Reference<'_>) -> Vec<(Plan, Tolerance)> {
    reference.at_requests(&FOREIGN, Tolerance::Damage)
}

/// lifecycle#answers-of-others
#[test]
fn a_child_that_vanishes_while_it_is_written_is_there_again_for_all_links_of_its_source() {
    let name = "children that vanish while they are written";
    run_plans(name, &[scripts::siblings()], Setting::default(), plans);
}

/// lifecycle#answers-of-others
#[test]
fn a_child_that_vanishes_while_links_write_it_together_is_there_again_for_all_of_them() {
    let name = "children that vanish while links write together";
    run_plans(name, &[scripts::together()], Setting::default(), plans);
}

/// The event of the deletion comes before the answer, with it, or long after it.
///
/// lifecycle#answers-of-others
#[test]
fn it_does_not_matter_whether_the_answer_or_the_event_of_a_foreign_deletion_comes_first() {
    let name = "children that vanish, with late events";
    run_plans(name, &[scripts::siblings()], Setting::default(), |reference| {
        let (_, events) = reference.outcome.points;
        let late = |(plan, tolerance): (Plan, Tolerance)| {
            (1..=events)
                .step_by(4)
                .map(move |event| (plan.clone().and(Fault::Event(event, AtEvent::Late)), tolerance))
        };
        let vanished = reference.at_requests(&[AtRequest::DeletedFirst], Tolerance::Damage);
        vanished.into_iter().flat_map(late).collect()
    });
}
