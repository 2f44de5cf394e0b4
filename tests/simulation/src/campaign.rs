//! Runs many plans side by side, and compares each run with the one without faults.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use instancelink_testkit::faults::plan::{Fault, Plan};

use crate::run::{Outcome, Setting, run};
use crate::script::Script;

/// What a plan may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Nothing but how often something was asked for and updated: faults of requests.
    Requests,
    /// Also the way there: faults of watches, whose news come late.
    Watches,
    /// Also which requests were taken, and which were overwritten before: things happened too fast.
    Hurry,
    /// All that is needed to repair what somebody damaged: only the end counts.
    Damage,
}

/// What a campaign did.
#[derive(Debug, Default)]
pub struct Tally {
    /// Plans.
    pub plans: u64,
    /// Faults that fell.
    pub faults: u64,
    /// What was violated, each with its script and plan.
    pub violations: Vec<String>,
}

/// A run without faults, with which others are compared.
pub struct Reference<'a> {
    pub script: &'a Script,
    pub setting: Setting,
    pub outcome: Outcome,
}

impl<'a> Reference<'a> {
    /// Runs it.
    pub fn of(script: &'a Script, setting: Setting) -> Self {
        let outcome = run(script, &Plan::default(), setting);
        Self {
            script,
            setting,
            outcome,
        }
    }

    /// Runs a plan, and says what is wrong.
    pub fn judge(&self, plan: &Plan, tolerance: Tolerance) -> (u64, Vec<String>) {
        let found = run(self.script, plan, self.setting);
        let wrong = self.compare(&found, plan, tolerance);
        if wrong.is_empty() {
            return (found.injected, Vec::new());
        }
        let pair = if self.setting.pair { " --pair" } else { "" };
        let line = format!("'{}' {plan}{pair}: {}", self.script.name, wrong.join("; "));
        (found.injected, vec![line])
    }

    /// What is wrong with a run of a plan.
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

/// The first place in which two values differ.
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

/// Runs all plans on all cores.
pub fn sweep(plans: &[(&Reference<'_>, Plan, Tolerance)]) -> Tally {
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((reference, plan, tolerance)) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (faults, wrong) = reference.judge(plan, *tolerance);
                    let mut tally = tally.lock().unwrap();
                    tally.plans += 1;
                    tally.faults += faults;
                    tally.violations.extend(wrong);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}
