//! One fault at each request: every failure that the API server or the network can give, before and after it is done.

#![allow(clippy::indexing_slicing)]

use instancelink_simulation::campaign::{Reference, Tolerance, run_plans};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

#[test]
fn one_fault_at_any_request_changes_neither_the_way_nor_the_end() {
    let name = "one fault at each request";
    run_plans(name, &scripts::all(), Setting::default(), |reference| {
        reference.at_requests(&AtRequest::all(), Tolerance::Requests)
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

/// Numbers that look drawn at random, the same ones for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        let sides = u32::try_from(from.len()).unwrap_or(u32::MAX);
        from[self.roll(sides) as usize]
    }

    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(sides)).unwrap_or(0)
    }
}
