//! Runs many plans in parallel, and compares each run with the one without faults.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};

use crate::run::{Outcome, Setting, run};
use crate::script::Script;

/// What a plan may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Only the number of requests and updates: faults of requests.
    Requests,
    /// Also the states on the way: faults of watches, which delay events.
    Watches,
    /// Also which requests were taken, and which were overwritten before: steps without a pause.
    Hurry,
    /// Everything that a repair of a damage needs: only the end must be equal.
    Damage,
}

/// A run without faults, as the reference for others.
pub struct Reference<'a> {
    pub script: &'a Script,
    pub setting: Setting,
    pub outcome: Outcome,
    /// The actions of the checked runs, and those of them whose position in the order is unknown.
    actions: [AtomicU64; 2],
}

impl<'a> Reference<'a> {
    /// Runs it.
    pub fn of(script: &'a Script, setting: Setting) -> Self {
        let outcome = run(script, &Plan::default(), setting);
        Self {
            script,
            setting,
            outcome,
            actions: Default::default(),
        }
    }

    /// Creates a plan for each request and each of these faults.
    pub fn at_requests(&self, faults: &[AtRequest], tolerance: Tolerance) -> Vec<(Plan, Tolerance)> {
        let points = (1..=self.outcome.points.0).flat_map(|n| faults.iter().map(move |what| Fault::Request(n, *what)));
        points.map(|fault| (Plan(vec![fault]), tolerance)).collect()
    }

    /// Creates a plan for each event and each of these faults.
    pub fn at_events(&self, faults: &[AtEvent], tolerance: Tolerance) -> Vec<(Plan, Tolerance)> {
        let points = (1..=self.outcome.points.1).flat_map(|n| faults.iter().map(move |what| Fault::Event(n, *what)));
        points.map(|fault| (Plan(vec![fault]), tolerance)).collect()
    }

    /// Runs a plan and returns its violations.
    pub fn judge(&self, plan: &Plan, tolerance: Tolerance) -> (u64, Vec<String>) {
        let found = run(self.script, plan, self.setting);
        for (sum, more) in self.actions.iter().zip([found.actions.asked, found.actions.ambiguous]) {
            sum.fetch_add(more, Ordering::Relaxed);
        }
        let wrong = self.compare(&found, plan, tolerance);
        if wrong.is_empty() {
            return (found.injected, Vec::new());
        }
        let pair = if self.setting.pair { " --pair" } else { "" };
        let line = format!("'{}' {plan}{pair}: {}", self.script.name, wrong.join("; "));
        (found.injected, vec![line])
    }

    /// The violations in a run of a plan.
    pub fn compare(&self, found: &Outcome, plan: &Plan, tolerance: Tolerance) -> Vec<String> {
        let mut wrong = found.violations.clone();
        wrong.extend(self.differences(found, plan, tolerance));
        wrong
    }

    fn differences(&self, found: &Outcome, plan: &Plan, tolerance: Tolerance) -> Vec<String> {
        let expected = &self.outcome;
        let mut wrong = Vec::new();
        for (name, object) in &expected.ends {
            let same = |other| {
                if tolerance == Tolerance::Hurry {
                    hurried(object) == hurried(other)
                } else {
                    object == other
                }
            };
            match found.ends.get(name) {
                None => wrong.push(format!("at the end {name} is missing")),
                Some(other) if !same(other) => {
                    wrong.push(format!("at the end {name} is another: {}", difference(object, other)));
                }
                Some(_) => {}
            }
        }
        for name in found.ends.keys().filter(|name| !expected.ends.contains_key(*name)) {
            wrong.push(format!("at the end there is {name}"));
        }
        if tolerance == Tolerance::Requests && found.walks != expected.walks {
            wrong.push(format!(
                "the walks differ: {:?} instead of {:?}",
                found.walks, expected.walks
            ));
        }
        let is_update = |what: &str| what.starts_with("update");
        let names = expected.counts.keys().chain(found.counts.keys());
        for what in names.filter(|what| !is_update(what)) {
            let count = |outcome: &Outcome| outcome.counts.get(what).copied().unwrap_or(0);
            if tolerance == Tolerance::Requests && count(found) != count(expected) {
                wrong.push(format!("{what}: {} times instead of {}", count(found), count(expected)));
            }
        }
        let crashes = plan.0.iter().any(|fault| matches!(fault, Fault::Request(..)));
        let most = expected.points.0 * 2 + if crashes { 40 } else { 20 };
        if tolerance != Tolerance::Damage && found.points.0 > most {
            wrong.push(format!(
                "{} requests, {} without faults",
                found.points.0, expected.points.0
            ));
        }
        wrong.sort();
        wrong.dedup();
        wrong
    }
}

/// An object without the memory of actions.
fn hurried(object: &serde_json::Value) -> serde_json::Value {
    let mut object = object.clone();
    if let Some(status) = object["status"].as_object_mut() {
        status.remove("lastAction");
    }
    object
}

/// The first difference of two values.
fn difference(expected: &serde_json::Value, found: &serde_json::Value) -> String {
    use serde_json::Value::{Array, Object};
    match (expected, found) {
        (Object(a), Object(b)) => {
            let names = a.keys().chain(b.keys());
            let first = names.into_iter().find(|name| a.get(*name) != b.get(*name));
            let Some(name) = first else { return String::new() };
            match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => format!(".{name}{}", difference(a, b)),
                (a, b) => format!(".{name}: {b:?} instead of {a:?}"),
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            let first = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(0);
            format!("[{first}]{}", difference(&a[first], &b[first]))
        }
        (a, b) => format!(": {b} instead of {a}"),
    }
}

/// Runs each script without faults, then all plans derived from these runs, and reports.
pub fn run_plans(
    name: &str,
    scripts: &[Script],
    setting: Setting,
    mut plans_of: impl FnMut(&Reference<'_>) -> Vec<(Plan, Tolerance)>,
) {
    let campaign = campaign::start(name);
    let references: Vec<Reference<'_>> = scripts.iter().map(|script| Reference::of(script, setting)).collect();
    let mut plans = Vec::new();
    for reference in &references {
        plans.extend(
            plans_of(reference)
                .into_iter()
                .map(|(plan, tolerance)| (reference, plan, tolerance)),
        );
    }
    let (faults, violations) = side_by_side(&plans, |(reference, plan, tolerance)| reference.judge(plan, *tolerance));
    let [asked, ambiguous] = [0, 1].map(|n| {
        references
            .iter()
            .map(|r| r.actions[n].load(Ordering::Relaxed))
            .sum::<u64>()
    });
    println!("{name}: {asked} actions, {ambiguous} of them overwritten before anybody took them");
    campaign.finish(plans.len() as u64, faults, &violations);
}

/// Runs all items on all cores. Returns the number of faults, and the violations.
pub fn side_by_side<T: Sync>(items: &[T], judge: impl Fn(&T) -> (u64, Vec<String>) + Sync) -> (u64, Vec<String>) {
    let (next, tally) = (AtomicUsize::new(0), Mutex::new((0, Vec::new())));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (faults, wrong) = judge(item);
                    let mut tally = tally.lock().unwrap();
                    tally.0 += faults;
                    tally.1.extend(wrong);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}
