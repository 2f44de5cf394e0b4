//! One fault at each request: every failure that the API server or the network can give, before and after it is done.

#![allow(clippy::indexing_slicing)]

use instancelink_simulation::campaign::{Reference, Tolerance, sweep};
use instancelink_simulation::run::Setting;
use instancelink_simulation::scripts;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

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

#[test]
fn two_faults_at_any_two_points_change_nothing_of_the_end() {
    let campaign = campaign::start("two faults at a time");
    let scripts = scripts::all();
    let references: Vec<Reference> = scripts.iter().map(|s| Reference::of(s, Setting::default())).collect();
    let mut dice = Dice(campaign::seed());
    let (at_request, at_event) = (AtRequest::all(), AtEvent::all());
    let mut fault = |reference: &Reference| {
        let (requests, events) = reference.outcome.points;
        if dice.roll(2) == 0 {
            Fault::Request(1 + dice.roll(requests), dice.choose(&at_request))
        } else {
            Fault::Event(1 + dice.roll(events), dice.choose(&at_event))
        }
    };
    let mut plans = Vec::new();
    for i in 0..if campaign::long() { 100_000 } else { 1_000 } {
        let reference = &references[i % references.len()];
        let plan = Plan(vec![fault(reference), fault(reference)]);
        plans.push((reference, plan, Tolerance::Watches));
    }
    let tally = sweep(&plans);
    campaign.finish(tally.plans, tally.faults, &tally.violations);
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
