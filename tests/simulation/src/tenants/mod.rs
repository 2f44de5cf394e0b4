//! Two tenants: B runs a fixed script, A makes random writes in its own namespace. Everything that B can see is the same
//! as without A: the objects in its namespace, their states, conditions and events. B waits at most twice as long, and
//! its links need at most twice as many requests.
//!
//! Three things of A may show. Each is modelled: B consents to A for some time, and meanwhile B sees the policies of A's
//! links for the granted workload (`guests`). A's workload `api`, to which A consents, is a target of B, so A does not
//! change it. Invalid consents of A count as none.

mod acts;
mod guests;
mod history;
mod meter;
mod places;
mod script;
mod seen;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::{Api, collector};
use instancelink_testkit::faults::hooks::Hooks;
use instancelink_testkit::tenant::Write;
use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};

use crate::operator::{NAME, Running};
use crate::run::paused;

pub use history::History;

use acts::Tenant;
use meter::{Meter, Times};
use places::B;
use script::Deed;
use seen::Seen;

/// When the writes of A begin, how long they last, and when everything ends.
const BEGIN: Duration = Duration::from_secs(1);
const LASTS: Duration = Duration::from_secs(117);
const OVER: Duration = Duration::from_secs(160);
/// When the operator is killed and started again, in some histories.
const RESTART: Duration = Duration::from_secs(52);

/// B without A, as the reference for all histories: with and without a restart of the operator.
pub struct Quiet([Seen; 2]);

impl Quiet {
    /// Runs B alone.
    pub fn run() -> Self {
        Self([false, true].map(|restarts| play(&[], restarts).seen))
    }

    /// Runs a history. Returns the number of writes of A that were not refused, and the violations. If there are any, the
    /// history is reduced to the writes that are needed for one.
    pub fn judge(&self, history: &History) -> (u64, Vec<String>) {
        let (sent, wrong) = self.compare(history);
        if wrong.is_empty() {
            return (sent, Vec::new());
        }
        let (history, wrong) = self.reduced(history.clone(), wrong);
        let line = format!("tenants {history}: {}", wrong.join("; "));
        (sent, vec![line])
    }

    /// Runs a history, and returns what differs from B alone.
    pub fn compare(&self, history: &History) -> (u64, Vec<String>) {
        let writes = history.writes();
        let played = play(&writes, history.restarts());
        let quiet = &self.0[usize::from(history.restarts())];
        let mut wrong = seen::differences(quiet, &played.seen, writes.len());
        wrong.extend(played.violations);
        (played.sent, wrong)
    }

    fn reduced(&self, mut history: History, mut wrong: Vec<String>) -> (History, Vec<String>) {
        let mut numbers: Vec<u32> = history.writes().iter().map(|write| write.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for without in numbers.clone() {
            let fewer: Vec<u32> = numbers.iter().copied().filter(|n| *n != without).collect();
            let smaller = History {
                seed: history.seed,
                kept: Some(fewer.clone()),
            };
            let (_, found) = self.compare(&smaller);
            if !found.is_empty() {
                (history, wrong, numbers) = (smaller, found, fewer);
            }
        }
        (history, wrong)
    }
}

/// What came of a history.
struct Played {
    seen: Seen,
    /// Writes of A that were not refused.
    sent: u64,
    violations: Vec<String>,
}

fn play(writes: &[Write], restarts: bool) -> Played {
    let before = text::panics();
    let mut played = paused().block_on(run(writes, restarts));
    let panics = text::panics() - before;
    if panics > 0 {
        played.violations.push(format!("the operator panicked {panics} times"));
    }
    played
}

async fn run(writes: &[Write], restarts: bool) -> Played {
    let api = Arc::new(Api::default());
    script::plant(&api);
    let collector = tokio::spawn(collector::run(Arc::clone(&api), Duration::from_millis(300)));
    let times = Times::default();
    let follower = tokio::spawn(times.clone().follow(Arc::clone(&api)));
    let meter = Arc::new(Meter::default());
    let hooks: Arc<dyn Hooks> = meter.clone();
    let start = |number: u32| Running::start_with(&api, &hooks, &format!("{NAME}-{number}"), SignedDuration::ZERO, &[]);
    let began = Instant::now();
    let mut operator = start(1);
    let mut tenant = Tenant::new(Arc::clone(&api));
    let mut seen = Seen::default();
    let mut violations = Vec::new();
    for (at, moment) in moments(writes, restarts) {
        sleep_until(began + at).await;
        match moment {
            Moment::Theirs(write) => tenant.write(write),
            Moment::Deed(deed) => deed.act(&api),
            Moment::Look(name) => {
                violations.extend(guests::judge(&api, name, at));
                seen.look(&api, name, meter.requests(B), &times);
            }
            Moment::Restart => {
                operator.kill();
                operator = start(2);
            }
        }
    }
    sleep_until(began + OVER).await;
    violations.extend(guests::judge(&api, "the end", OVER));
    seen.look(&api, "the end", meter.requests(B), &times);
    seen.end(&api, meter.others(B));
    if operator.has_ended() {
        violations.push("the operator has ended".to_owned());
    }
    operator.kill();
    collector.abort();
    follower.abort();
    violations.extend(guests::touched(&api));
    Played {
        seen,
        sent: tenant.sent,
        violations,
    }
}

enum Moment<'a> {
    Theirs(&'a Write),
    /// B compares before its next deed.
    Look(&'static str),
    Deed(Deed),
    Restart,
}

/// Everything that happens, in order.
fn moments(writes: &[Write], restarts: bool) -> Vec<(Duration, Moment<'_>)> {
    let mut moments: BTreeMap<(Duration, usize), Moment<'_>> = BTreeMap::new();
    for (n, (at, name, deeds)) in script::script().into_iter().enumerate() {
        let at = Duration::from_secs(at);
        moments.insert((at, n * 100), Moment::Look(name));
        for (m, deed) in deeds.into_iter().enumerate() {
            moments.insert((at, n * 100 + m + 1), Moment::Deed(deed));
        }
    }
    let count = moments.len() * 100;
    for (n, write) in writes.iter().enumerate() {
        let at = BEGIN + LASTS * write.at / 1000;
        moments.insert((at, count + n), Moment::Theirs(write));
    }
    if restarts {
        moments.insert((RESTART, 0), Moment::Restart);
    }
    moments.into_iter().map(|((at, _), moment)| (at, moment)).collect()
}
