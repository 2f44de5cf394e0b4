//! Runs a script under a plan in virtual time, and records the whole history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::api::{Api, collector};
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep};

use crate::actions::{self, Actions};
use crate::history::{self, Ends};
use crate::operator::{NAME, Running};
use crate::script::{Deed, Script, Step};

/// How long a step may take. Backoff after a refusal goes up to five minutes, with jitter.
const PATIENCE: Duration = Duration::from_secs(700);
/// A step is over when the links were at rest for this time.
const REST: Duration = Duration::from_secs(4);
/// A script is over when nothing was written for this time.
const QUIET: Duration = Duration::from_secs(70);
/// How long the restart of an operator takes.
const RESTART: Duration = Duration::from_secs(1);

/// The result of a run.
pub struct Outcome {
    /// The objects at the end.
    pub ends: Ends,
    /// Successful writes of operators, by verb and object.
    pub counts: BTreeMap<String, u32>,
    /// The states of each link.
    pub walks: BTreeMap<String, Vec<String>>,
    /// Requests and events.
    pub points: (u32, u32),
    /// The faults that happened.
    pub injected: u64,
    /// The results of actions.
    pub actions: Actions,
    /// The violations.
    pub violations: Vec<String>,
    /// Requests and faults in order.
    pub log: Vec<String>,
    /// The objects with their whole history.
    pub api: Arc<Api>,
}

/// The options of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// Two operators, one of which leads.
    pub pair: bool,
}

/// A runtime with one thread and virtual time.
pub fn paused() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap()
}

/// Runs it in its own runtime.
pub fn run(script: &Script, plan: &Plan, setting: Setting) -> Outcome {
    paused().block_on(play(script, plan, setting))
}

async fn play(script: &Script, plan: &Plan, setting: Setting) -> Outcome {
    let api = Arc::new(Api::default());
    crate::seeds::plant(&api);
    let planted = api.store().version();
    let faults = Arc::new(Injector::new(plan.clone(), Arc::clone(&api)));
    let collector = tokio::spawn(collector::run(Arc::clone(&api), Duration::from_millis(300)));
    let keeper = tokio::spawn(keep(Arc::clone(&api), Arc::clone(&faults), setting));
    let mut violations = Vec::new();
    for (i, step) in script.steps.iter().enumerate() {
        step.deed.act(&api);
        if step.at_once {
            continue;
        }
        if let Err(why) = rest(&api, step).await {
            violations.push(format!("lifecycle#converges: after step {}: {why}", i + 1));
            break;
        }
    }
    if let Err(why) = quiet(&api).await {
        violations.push(why);
    }
    keeper.abort();
    collector.abort();
    let store = api.store();
    let history = store.changes_after(planted);
    violations.extend(crate::oracle::judge(store.changes_after(0)));
    let (actions, disordered) = actions::judge(store.changes_after(0));
    violations.extend(disordered);
    violations.extend(faults.unsafe_requests());
    violations.extend(
        faults
            .without_lease()
            .into_iter()
            .map(|what| format!("lifecycle#one-writer: {what}")),
    );
    let outcome = Outcome {
        ends: history::ends(&store),
        counts: history::counts(history, NAME),
        walks: history::walks(history),
        points: faults.counts(),
        injected: faults.injected(),
        actions,
        violations,
        log: faults.log(),
        api: Arc::clone(&api),
    };
    drop(store);
    outcome
}

/// Keeps operators running like a Deployment: it replaces one that ended by one with another name.
async fn keep(api: Arc<Api>, faults: Arc<Injector>, setting: Setting) {
    let mut number = 0;
    let mut start = || {
        number += 1;
        Running::start(&api, &faults, number, setting.pair)
    };
    let mut running: Vec<Running> = (0..if setting.pair { 2 } else { 1 }).map(|_| start()).collect();
    loop {
        tokio::select! {
            () = faults.crashed.notified() => {}
            () = sleep(RESTART * 5), if setting.pair => {}
        }
        for operator in &mut running {
            if faults.is_dead(&operator.name) || operator.has_ended() {
                operator.kill();
                sleep(RESTART).await;
                *operator = start();
            }
        }
    }
}

/// Waits until every link is in the expected state of the step, and stays there.
async fn rest(api: &Api, step: &Step) -> Result<(), String> {
    if let Deed::Wait(seconds) = step.deed {
        sleep(Duration::from_secs(seconds)).await;
    }
    let (began, mut since) = (Instant::now(), None);
    loop {
        let wrong = wrong(api, step);
        match &wrong {
            None => {
                let since = *since.get_or_insert_with(Instant::now);
                if since.elapsed() >= REST {
                    return Ok(());
                }
            }
            Some(wrong) => {
                since = None;
                if began.elapsed() > PATIENCE {
                    return Err(wrong.clone());
                }
            }
        }
        sleep(Duration::from_millis(500)).await;
    }
}

fn wrong(api: &Api, step: &Step) -> Option<String> {
    let store = api.store();
    for (name, expected) in &step.then {
        let found = store.of(&LINKS).find(|link| link["metadata"]["name"] == *name);
        let state = found.map(|link| link["status"]["state"].as_str().unwrap_or_default());
        if state != *expected {
            return Some(format!("{name} is {state:?} and not {expected:?}"));
        }
        if let Some(link) = found
            && link["status"]["observedGeneration"] != link["metadata"]["generation"]
        {
            return Some(format!("{name} was edited, and the status does not answer that"));
        }
        if let Some(link) = found
            && link["metadata"]["finalizers"].is_null()
            && *expected != Some("purged")
        {
            return Some(format!("{name} lost its finalizer, and nobody has put it back"));
        }
        if let Some(action) = found.and_then(|link| link["metadata"]["annotations"].get("instancelink.dev/action")) {
            let handled = found.map(|link| &link["status"]["lastAction"]["handled"]);
            let known = handled.and_then(Value::as_array).is_some_and(|h| h.contains(action));
            if !known {
                return Some(format!("{name} has the action {action} that nobody took"));
            }
        }
    }
    None
}

/// Waits until nothing is written.
async fn quiet(api: &Api) -> Result<(), String> {
    let newest = || {
        let store = api.store();
        let last = store.changes_after(0).iter().rev().find(|change| {
            let of_lease = change.key.resource.plural == "leases";
            change.by.starts_with(NAME) && !of_lease
        });
        last.map(|change| change.version)
    };
    for _ in 0..20 {
        let before = newest();
        sleep(QUIET).await;
        if newest() == before {
            return Ok(());
        }
    }
    Err("lifecycle#no-idle-writes: a converged cluster is written to again and again".to_owned())
}
