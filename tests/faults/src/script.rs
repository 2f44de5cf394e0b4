//! The same life of one link each time: created, cut, activated, retargeted, removed, restored, deleted.

use std::time::Duration;

use harness::{Link, Namespace, Watch, link};
use instancelink_api::State::{Active, Inactive, Removed};
use instancelink_api::{InstanceLink, Phase, State, keys};
use instancelink_core::lifecycle::is_edge;
use instancelink_properties::linear::Watched;
use kube::ResourceExt as _;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::children_of;

/// How long a step may take. The operator retries within seconds after a fault.
const STEP: Duration = Duration::from_secs(30);

/// The record of a life, in a form in which two lives can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Every state.
    pub states: Vec<State>,
    /// Every action the link acknowledged, in the order of their numbers.
    pub actions: Vec<String>,
    /// At each resting state: the state and the children.
    pub rests: Vec<(State, Vec<String>)>,
}

/// Runs the life of a link with this name, in a namespace with `web`, `pg` and `pg2`. Panics if a step takes too long.
pub async fn run(namespace: &Namespace, name: &str) -> Course {
    run_and_look(namespace, name).await.0
}

/// The same, and the conditions of the link at each resting state but the last.
pub async fn run_and_look(namespace: &Namespace, name: &str) -> (Course, Vec<String>) {
    let (link, watch) = namespace
        .watched_link(link(name, "db", "Deployment/web", "Service/pg"))
        .await;
    let known = names_of(namespace, &link).await;
    let mut rests = Vec::new();
    let mut looks = Vec::new();
    let mut rest = async |state: State| {
        rests.push((state, children_of(namespace, &known).await));
        if let Some(found) = watch.newest().filter(|_| state != State::Purging) {
            looks.push(conditions(&found, &known));
        }
    };

    until(&watch, "active", |l| state(l) == Active).await;
    rest(Active).await;
    act(&link, &watch, "deactivate", Inactive).await;
    rest(Inactive).await;
    act(&link, &watch, "activate", Active).await;
    rest(Active).await;
    link.retarget("Service/pg2").await;
    until(&watch, "active with its new target", |l| {
        let target = l.status.as_ref().and_then(|s| s.target.as_ref());
        state(l) == Active && target.is_some_and(|t| t.name == "pg2")
    })
    .await;
    rest(Active).await;
    act(&link, &watch, "remove", Removed).await;
    rest(Removed).await;
    act(&link, &watch, "restore", Inactive).await;
    rest(Inactive).await;
    link.delete().await;
    link.is_gone().await;
    rest(State::Purging).await;

    let states = watch.states();
    let broken: Vec<_> = states.windows(2).filter(|w| !is_edge(w[0], w[1])).collect();
    assert!(broken.is_empty(), "no edges of the table: {broken:?}");
    let mut watched = Watched::default();
    for version in watch.versions() {
        watched.version(&version, true);
    }
    watched.cut();
    assert!(watched.violations.is_empty(), "{:?}", watched.violations);
    let course = Course {
        states,
        actions: actions(&watch.versions())
            .into_iter()
            .map(|line| line.replace(name, "NAME"))
            .collect(),
        rests,
    };
    (course, looks)
}

/// Each condition with its reason and message, without texts that differ from run to run.
fn conditions(link: &InstanceLink, known: &[(String, &'static str)]) -> String {
    let status = link.status.clone().unwrap_or_default();
    let mut lines: Vec<String> = status
        .conditions
        .iter()
        .map(|c| format!("{}={} {}: {}", c.type_, c.status, c.reason, c.message))
        .collect();
    lines.sort();
    let mut text = lines.join("; ");
    for (found, shown) in known {
        text = text.replace(found, shown);
    }
    text
}

async fn act(link: &Link, watch: &Watch, verb: &str, reached: State) {
    let request = format!("{verb}/{verb}-{}", link.name);
    link.patch(&json!({ "metadata": { "annotations": { keys::ACTION: request } } }))
        .await;
    until(watch, &format!("{reached}, and the action completed"), |l| {
        let action = l.status.as_ref().and_then(|s| s.last_action.as_ref());
        state(l) == reached && action.is_some_and(|a| a.intent.action == verb && a.phase == Phase::Completed)
    })
    .await;
}

async fn until(watch: &Watch, what: &str, check: impl Fn(&InstanceLink) -> bool) {
    let started = Instant::now();
    loop {
        let last = watch.newest();
        if last.as_ref().is_some_and(&check) {
            return;
        }
        assert!(
            started.elapsed() < STEP,
            "not within {STEP:?}: {what}; the states were {:?}, and the status is {}",
            watch.states(),
            last.map(|l| json!(l.status).to_string()).unwrap_or_default(),
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// The acknowledged actions as `number verb/id verdict`, in order. A number that appears twice is a violation.
pub fn actions(versions: &[InstanceLink]) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    for version in versions {
        let Some(action) = version.status.as_ref().and_then(|s| s.last_action.as_ref()) else {
            continue;
        };
        let intent = &action.intent;
        let line = format!("{} {}/{} {:?}", intent.seq, intent.action, intent.id, intent.verdict);
        if actions.last() != Some(&line) {
            actions.push(line);
        }
    }
    actions
}

/// The texts in children that differ from run to run.
async fn names_of(namespace: &Namespace, link: &Link) -> Vec<(String, &'static str)> {
    let mut known = vec![(link.uid().await, "LINK-UID")];
    for (kind, api_version, name, shown) in [
        ("Deployment", "apps/v1", "web", "WEB-UID"),
        ("Service", "v1", "pg", "PG-UID"),
        ("Service", "v1", "pg2", "PG2-UID"),
    ] {
        let object = namespace.object(api_version, kind, name).get().await;
        known.push((object.uid().unwrap_or_default(), shown));
        if let Some(address) = object.data["spec"]["clusterIP"].as_str() {
            known.push((
                format!("\"{address}\""),
                if name == "pg" { "\"PG\"" } else { "\"PG2\"" },
            ));
        }
    }
    known.push((namespace.name.clone(), "NAMESPACE"));
    known.push((link.name.clone(), "NAME"));
    known
}

fn state(link: &InstanceLink) -> State {
    link.status.as_ref().map(|s| s.state).unwrap_or_default()
}
