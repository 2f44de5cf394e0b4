//! Links with continuous actions, and what must be true for each afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::{Link, Namespace, link};
use instancelink_api::State::{Active, Inactive};
use instancelink_api::{InstanceLink, Phase, State, keys};
use instancelink_core::lifecycle::is_edge;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::history::History;
use crate::script::actions;

/// How long an action may take. An API server or a leader may be unavailable for a while.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(150);

/// The result for one link.
#[derive(Debug)]
pub struct Worked {
    /// The number of requested actions.
    pub asked: usize,
    /// The violations.
    pub violations: Vec<String>,
}

/// Deactivates and activates a link of `web` to `pg` and `pg2` in turn, each action with its own id and after the last
/// one was completed, until it is stopped. Then checks the whole history.
pub async fn work(namespace: &Namespace, name: &str, stop: &AtomicBool) -> Worked {
    let watch = History::start(namespace, name);
    let link = namespace.link(link(name, name, "Deployment/web", "Service/pg")).await;
    let mut violations = Vec::new();
    let mut expected = Vec::new();
    if let Err(error) = until(&watch, "active", |l| state(l) == Active).await {
        violations.push(format!("{}/{name}: {error}", namespace.name));
    }
    while !stop.load(Ordering::Relaxed) && violations.is_empty() {
        let number = expected.len() + 1;
        let (verb, reached) = if number % 2 == 1 {
            ("deactivate", Inactive)
        } else {
            ("activate", Active)
        };
        if number.is_multiple_of(4) {
            let target = if number.is_multiple_of(8) { "pg" } else { "pg2" };
            write(
                &link,
                &json!({ "spec": { "targetInstanceRef": { "kind": "Service", "name": target } } }),
            )
            .await;
        }
        write(
            &link,
            &json!({ "metadata": { "annotations": { keys::ACTION: format!("{verb}/{number}") } } }),
        )
        .await;
        expected.push(format!("{number} {verb}/{number} Accepted"));
        let id = number.to_string();
        let what = format!("{reached} by action {number}");
        let done = until(&watch, &what, |l| {
            let action = l.status.as_ref().and_then(|s| s.last_action.as_ref());
            state(l) == reached && action.is_some_and(|a| a.intent.id == id && a.phase == Phase::Completed)
        });
        if let Err(error) = done.await {
            violations.push(format!("{}/{name}: {error}", namespace.name));
        }
        sleep(PAUSE).await;
    }
    violations.extend(
        wrong_with(&watch, &expected)
            .into_iter()
            .map(|v| format!("{}/{name}: {v}", namespace.name)),
    );
    Worked {
        asked: expected.len(),
        violations,
    }
}

/// Each change of state is an edge (lifecycle#only-known-edges). Each action was acknowledged once, in the order of the
/// requests, and together with what watchers saw the actions are linearizable (lifecycle#actions-once).
fn wrong_with(watch: &History, expected: &[String]) -> Vec<String> {
    let changes = watch.changes().into_iter();
    let broken = changes.filter(|(from, to)| !is_edge(*from, *to));
    let mut violations: Vec<String> = broken.map(|(from, to)| format!("{from} → {to} is no edge")).collect();
    let found = actions(&watch.versions());
    if found != expected {
        violations.push(format!("acknowledged {found:?} of {expected:?}"));
    }
    violations.extend(watch.disorder());
    violations
}

/// Like the tools of a user, it retries while the API server is unavailable.
async fn write(link: &Link, patch: &serde_json::Value) {
    let api: Api<InstanceLink> = link.namespace.api();
    let started = Instant::now();
    loop {
        match api
            .patch(&link.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
        {
            Ok(_) => return,
            Err(error) => assert!(started.elapsed() < PATIENCE, "cannot patch {}: {error}", link.name),
        }
        sleep(Duration::from_millis(300)).await;
    }
}

async fn until(watch: &History, what: &str, check: impl Fn(&InstanceLink) -> bool) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let newest = watch.newest();
        if newest.as_ref().is_some_and(&check) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            let status = newest.map(|l| json!(l.status).to_string()).unwrap_or_default();
            return Err(format!("not {what} within {PATIENCE:?}: {status}"));
        }
        sleep(Duration::from_millis(30)).await;
    }
}

fn state(link: &InstanceLink) -> State {
    link.status.as_ref().map(|s| s.state).unwrap_or_default()
}
