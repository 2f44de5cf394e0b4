//! Another tenant makes random writes in its own namespace, as a user with the role `edit` there: the life of a link is the
//! same as without it, and takes at most twice as long.
//!
//! `INSTANCELINK_HISTORY=4711` runs only that history. Separate several by commas.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Operator, Options};
use faults::{Course, Plan, Proxy, Tenant, run_and_look};
use futures::FutureExt as _;
use futures::future::join_all;
use harness::{Namespace, Object};
use instancelink_testkit::campaign;
use instancelink_testkit::dice::Dice;
use instancelink_testkit::tenant::{Scene, writes};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use tokio::time::sleep;

/// How many histories run in parallel, each in its own namespaces.
const SIDE_BY_SIDE: usize = 6;
const ORDINARY: u64 = 100;
const LONG: u64 = 2_000;
const APART: u64 = 1_000_000;
/// The lives without another tenant, in each namespace, from which the longest counts.
const QUIET: usize = 3;
/// What may be added to twice the time of a quiet life, and to twice its requests.
const SLACK: Duration = Duration::from_secs(1);
const MORE: u32 = 10;
/// How long events may take: they are sent apart from passes, and all namespaces share the rate.
const EVENTS: Duration = Duration::from_secs(20);
/// The same where nothing else happens.
const QUIET_EVENTS: Duration = Duration::from_secs(5);
/// How often a history that took longer runs again, by itself: what the writes cost comes back, and what other processes
/// cost does not.
const AGAIN: usize = 2;

/// What the tenant sees of its link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    course: Course,
    conditions: Vec<String>,
    events: BTreeSet<String>,
}

struct Life {
    seen: Seen,
    took: Duration,
    requests: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_whatever_a_tenant_writes_the_life_of_anothers_link_is_the_same() {
    let plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let mut operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
    let homes = join_all((0..SIDE_BY_SIDE).map(|i| plane.namespace(format!("home-{i}")))).await;

    let mut quiet: Vec<Life> = Vec::new();
    for round in 0..QUIET {
        let lives = join_all(
            homes
                .iter()
                .map(|home| live(&proxy, home, format!("quiet-{round}"), None)),
        )
        .await;
        quiet.extend(
            lives
                .into_iter()
                .map(|life| life.expect("a life without another tenant")),
        );
    }
    for other in &quiet[1..] {
        assert_eq!(other.seen, quiet[0].seen, "lives without another tenant are alike");
    }
    let took = quiet.iter().map(|life| life.took).max().unwrap_or_default();
    let requests = quiet.iter().map(|life| life.requests).max().unwrap_or_default();
    let quiet = Life {
        seen: quiet.swap_remove(0).seen,
        took,
        requests,
    };
    println!("a life takes {took:?} and {requests} requests at most");

    let histories = chosen();
    let campaign = campaign::start("another tenant writes, real API server");
    let queue = Mutex::new(histories.iter());
    let outcomes: Mutex<Vec<Outcome>> = Mutex::default();
    join_all(homes.iter().map(async |home| {
        loop {
            let next = queue.lock().unwrap().next();
            let Some(&seed) = next else { return };
            let outcome = history(&plane, &proxy, home, (seed, 0), &quiet).await;
            outcomes.lock().unwrap().push(outcome);
        }
    }))
    .await;

    let mut outcomes = outcomes.into_inner().unwrap();
    let sent: u64 = outcomes.iter().map(|outcome| outcome.sent).sum();
    let longest = outcomes.iter().map(|outcome| outcome.took).max().unwrap_or_default();
    println!("{sent} writes of the other tenant were not refused; the longest life took {longest:?}");
    for outcome in outcomes.iter_mut().filter(|outcome| !outcome.late.is_empty()) {
        again(&plane, &proxy, &homes[0], outcome).await;
    }
    let mut violations: Vec<String> = outcomes.into_iter().flat_map(Outcome::violations).collect();
    if let Some(status) = operator.program.ended() {
        violations.push(format!("the operator ended with {status}: {}", operator.program.tail()));
    }
    let log = operator.program.log();
    violations.extend(
        log.lines()
            .filter(|line| line.contains("panicked at"))
            .map(str::to_owned),
    );
    campaign.finish(histories.len() as u64, sent, &violations);
}

fn chosen() -> Vec<u64> {
    if let Ok(seeds) = std::env::var("INSTANCELINK_HISTORY") {
        return seeds.split(',').map(|seed| seed.parse().unwrap()).collect();
    }
    let first = campaign::seed() * APART;
    let count = if campaign::long() { LONG } else { ORDINARY };
    (first..first + count).collect()
}

struct Outcome {
    seed: u64,
    /// The number of writes that were not refused.
    sent: u64,
    took: Duration,
    /// What was not the same.
    wrong: Vec<String>,
    /// What took longer or more requests than it may.
    late: Vec<String>,
}

impl Outcome {
    fn violations(self) -> Vec<String> {
        let all = self.wrong.into_iter().chain(self.late);
        all.map(|what| format!("INSTANCELINK_HISTORY={}: {what}", self.seed))
            .collect()
    }
}

/// Runs a history again that took too long, each time after a life without another tenant.
async fn again(plane: &ControlPlane, proxy: &Proxy, home: &Namespace, outcome: &mut Outcome) {
    for attempt in 1..=AGAIN {
        let name = format!("quiet-{}-{attempt}", outcome.seed);
        let quiet = live(proxy, home, name, None)
            .await
            .expect("a life without another tenant");
        let now = history(plane, proxy, home, (outcome.seed, attempt), &quiet).await;
        println!("INSTANCELINK_HISTORY={}, by itself: {:?}", outcome.seed, now.took);
        outcome.wrong.extend(now.wrong);
        outcome.late = now.late;
        if outcome.late.is_empty() {
            return;
        }
    }
}

async fn history(
    plane: &ControlPlane,
    proxy: &Proxy,
    home: &Namespace,
    (seed, attempt): (u64, usize),
    quiet: &Life,
) -> Outcome {
    let name = format!("life-{seed}-{attempt}");
    let other = plane.namespace(format!("other-{seed}-{attempt}")).await;
    let scene = Scene {
        mine: other.name.clone(),
        theirs: home.name.clone(),
        their_links: vec![name.clone(), "db".to_owned()],
        their_workloads: vec![
            ("Service", "pg".to_owned()),
            ("Service", "pg2".to_owned()),
            ("Deployment", "web".to_owned()),
        ],
        their_objects: vec![
            ("InstanceLink", name.clone()),
            ("Deployment", "web".to_owned()),
            ("Service", "pg".to_owned()),
        ],
    };
    let grant = consent(home, &other, seed).await;
    let tenant = Tenant {
        client: plane.editor_of(&other, "tenant").await,
        namespace: &other,
        scene: &scene,
    };
    let writes = writes(&scene, seed);
    let (sent, life) = tokio::join!(
        tenant.write(&writes, quiet.took),
        live(proxy, home, name, Some(&quiet.seen.events))
    );
    if let Some(grant) = grant {
        grant.delete().await;
    }
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(plane.client.clone());
    let _ = namespaces.delete(&other.name, &DeleteParams::default()).await;
    tenant.let_go(&writes).await;
    let took = life.as_ref().map_or(Duration::ZERO, |life| life.took);
    let (wrong, late) = match life {
        Ok(life) => (differences(quiet, &life), lateness(quiet, &life)),
        Err(panic) => (vec![panic], Vec::new()),
    };
    if !wrong.is_empty() || !late.is_empty() {
        let written: Vec<String> = writes.iter().map(ToString::to_string).collect();
        println!("INSTANCELINK_HISTORY={seed}: the writes:\n{}", written.join("\n"));
    }
    Outcome {
        seed,
        sent,
        took,
        wrong,
        late,
    }
}

/// In half of the histories, the other tenant may have endpoints of this one.
async fn consent(home: &Namespace, other: &Namespace, seed: u64) -> Option<Object> {
    if Dice(seed).roll(2) == 0 {
        return None;
    }
    let name = format!("for-{}", other.name);
    let spec = json!({"from": [{"namespace": other.name}], "to": [{"kind": "Service", "name": "pg"}]});
    let manifest = json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": {"name": name}, "spec": spec,
    });
    Some(home.create_object(&manifest).await)
}

/// Lives, and waits until the events are the expected ones, or those of a quiet life have come.
async fn live(
    proxy: &Proxy,
    home: &Namespace,
    name: String,
    expected: Option<&BTreeSet<String>>,
) -> Result<Life, String> {
    proxy.arm(&home.name, &Plan::None);
    let began = Instant::now();
    let lived = AssertUnwindSafe(run_and_look(home, &name)).catch_unwind().await;
    let took = began.elapsed();
    let (requests, ..) = proxy.disarm(&home.name);
    match lived {
        Ok((course, conditions)) => {
            let done = Instant::now();
            let mut events = BTreeSet::new();
            while done.elapsed() < expected.map_or(QUIET_EVENTS, |_| EVENTS) && expected != Some(&events) {
                sleep(Duration::from_millis(500)).await;
                events = events_of(home, &name).await;
            }
            let seen = Seen {
                course,
                conditions,
                events,
            };
            Ok(Life { seen, took, requests })
        }
        Err(panic) => {
            let link = harness::Link::at(home, &name);
            if link.object().find().await.is_some() {
                link.object().delete().await;
                let gone = AssertUnwindSafe(link.is_gone()).catch_unwind().await;
                if gone.is_err() {
                    link.object().strip_finalizers().await;
                }
            }
            Err(text_of(panic.as_ref()))
        }
    }
}

async fn events_of(home: &Namespace, name: &str) -> BTreeSet<String> {
    let fields = format!("regarding.name={name}");
    let events = home.api::<Event>().list(&ListParams::default().fields(&fields)).await;
    let line = |event: &Event| {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let line = format!("{} {}: {}", of(&event.type_), of(&event.reason), of(&event.note));
        line.replace(name, "NAME").replace(&home.name, "NAMESPACE")
    };
    events.expect("events").items.iter().map(line).collect()
}

fn differences(quiet: &Life, life: &Life) -> Vec<String> {
    let mut wrong = Vec::new();
    if life.seen.course != quiet.seen.course {
        wrong.push(format!(
            "another life: {:#?}\ninstead of\n{:#?}",
            life.seen.course, quiet.seen.course
        ));
    }
    for (with, without) in life.seen.conditions.iter().zip(&quiet.seen.conditions) {
        if with != without {
            wrong.push(format!("other conditions: {with}\ninstead of\n{without}"));
        }
    }
    if life.seen.events != quiet.seen.events {
        wrong.push(format!(
            "other events: {:#?} instead of {:#?}",
            life.seen.events, quiet.seen.events
        ));
    }
    wrong
}

fn lateness(quiet: &Life, life: &Life) -> Vec<String> {
    let mut late = Vec::new();
    if life.took > quiet.took * 2 + SLACK {
        late.push(format!(
            "it took {:?}, and {:?} without the other tenant",
            life.took, quiet.took
        ));
    }
    if life.requests > quiet.requests * 2 + MORE {
        late.push(format!(
            "{} requests, and {} without the other tenant",
            life.requests, quiet.requests
        ));
    }
    late
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()))
        .unwrap_or_default()
}
