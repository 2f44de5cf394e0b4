//! Another client changes what the operator writes of a link back, again and again: the operator writes it once a minute, the
//! link and the readiness gates of its pods stay up, children are repaired, and all is right when the client stops.
//!
//! Rule: lifecycle#disputed-link.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use instancelink_simulation::operator::{NAME, Running};
use instancelink_simulation::run::paused;
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::resource::{LINKS, PODS, REPLICA_SETS, Resource, SLICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::faults::hooks::{EventFate, Fate, Hooks};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Longer than any wait of an activation.
const SETTLED: Duration = Duration::from_secs(40);
const GATE: &str = "instancelink.dev/db";
/// The other client looks so often.
const POLL: Duration = Duration::from_millis(200);

/// Counts the operator's writes of links.
#[derive(Default)]
struct Counted(AtomicUsize);

impl Hooks for Counted {
    fn call(&self, call: &Call, _: &[u8]) -> Fate {
        if call.verb == "patch" && *call.resource == LINKS && call.by.starts_with(NAME) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Served
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}

fn key(resource: &'static Resource, name: &str) -> Key {
    Key {
        resource,
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    }
}

fn link(api: &Api) -> Value {
    Value::clone(api.store().get(&key(&LINKS, "db")).unwrap())
}

/// What the client does to the link, and the subresource by which it does it.
type Undo = (Option<&'static str>, fn(&mut Value));

fn undo_for(api: &Api, undo: Undo) {
    let mut object = link(api);
    let before = object.clone();
    undo.1(&mut object);
    if object != before {
        api.change(|store, now| {
            let writer = Writer { by: "other", now };
            write::update(store, &key(&LINKS, "db"), undo.0, object, true, writer).map(drop)
        })
        .unwrap();
    }
}

/// Returns whether the gate was open all the time.
async fn undo_during(api: &Api, undo: Undo, time: Duration) -> bool {
    let end = Instant::now() + time;
    let mut is_open = true;
    while Instant::now() < end {
        undo_for(api, undo);
        sleep(POLL).await;
        is_open &= gate_is_open(api);
    }
    is_open
}

/// Plants a pod of the source with a readiness gate.
fn plant_gated_pod(api: &Api) {
    let set = Value::clone(api.store().get(&key(&REPLICA_SETS, "web-1")).unwrap());
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": set["metadata"]["uid"], "controller": true,
    });
    let metadata =
        json!({ "name": "gated", "namespace": "shop", "labels": { "app": "web" }, "ownerReferences": [owner] });
    let gates = json!([{ "conditionType": GATE }]);
    let spec = json!({ "nodeName": "node", "readinessGates": gates, "containers": set["spec"]["template"]["spec"]["containers"] });
    seeds::put(api, &PODS, json!({ "metadata": metadata, "spec": spec }));
    seeds::pod_status(api, "shop", "gated", "10.0.0.2", true);
}

fn gate_is_open(api: &Api) -> bool {
    let pod = Value::clone(api.store().get(&key(&PODS, "gated")).unwrap());
    let mut conditions = pod["status"]["conditions"].as_array().unwrap().iter();
    conditions.any(|condition| condition["type"] == GATE && condition["status"] == "True")
}

fn takes_conditions(link: &mut Value) {
    link["status"]["conditions"] = json!([]);
}

fn sets_the_state_back(link: &mut Value) {
    link["status"]["state"] = json!("activating");
}

fn sets_another_state(link: &mut Value) {
    link["status"]["state"] = json!("inactive");
}

fn takes_the_status(link: &mut Value) {
    link["status"] = json!({});
}

fn takes_the_finalizer(link: &mut Value) {
    link["metadata"]["finalizers"] = json!([]);
}

async fn play(undo: Undo) {
    let api = Arc::new(Api::default());
    seeds::plant(&api);
    plant_gated_pod(&api);
    let spec = json!({
        "linkName": "db", "instanceRef": { "kind": "Deployment", "name": "web" },
        "targetInstanceRef": { "kind": "Deployment", "name": "pg" },
    });
    seeds::put(
        &api,
        &LINKS,
        json!({ "metadata": { "name": "db", "namespace": "shop" }, "spec": spec }),
    );
    let counted = Arc::new(Counted::default());
    let hooks: Arc<dyn Hooks> = counted.clone();
    let operator = Running::start_with(&api, &hooks, &format!("{NAME}-1"), SignedDuration::ZERO, &[]);
    sleep(SETTLED).await;
    assert_eq!(link(&api)["status"]["state"], "active");
    assert!(gate_is_open(&api));
    let count = || counted.0.load(Ordering::Relaxed);
    let before = count();
    undo_during(&api, undo, Duration::from_mins(2)).await;
    assert!((4..=24).contains(&(count() - before)), "{} at first", count() - before);
    let before = count();
    let is_open = undo_during(&api, undo, Duration::from_mins(10)).await;
    assert!((5..=11).contains(&(count() - before)), "{} later", count() - before);
    assert!(is_open, "the gate stays open");
    let slice = key(&SLICES, "db-v4");
    api.change(|store, _| store.remove(&slice, "other")).unwrap();
    undo_during(&api, undo, Duration::from_secs(5)).await;
    assert!(api.store().get(&slice).is_some(), "the slice is created again");
    sleep(Duration::from_mins(2)).await;
    let link = link(&api);
    assert_eq!(link["status"]["state"], "active");
    assert!(!link["status"]["conditions"].as_array().unwrap().is_empty());
    assert!(!link["metadata"]["finalizers"].as_array().unwrap().is_empty());
    assert!(!operator.has_ended());
}

/// lifecycle#disputed-link
#[test]
fn conditions_that_are_taken_away_again_and_again_are_written_once_a_minute() {
    paused().block_on(play((Some("status"), takes_conditions)));
}

/// lifecycle#disputed-link
#[test]
fn a_state_that_is_set_back_again_and_again_is_written_once_a_minute() {
    paused().block_on(play((Some("status"), sets_the_state_back)));
}

/// lifecycle#disputed-link
#[test]
fn a_state_from_which_more_than_one_write_leads_back_is_written_once_a_minute() {
    paused().block_on(play((Some("status"), sets_another_state)));
}

/// lifecycle#disputed-link
#[test]
fn a_status_that_is_taken_away_again_and_again_is_written_once_a_minute() {
    paused().block_on(play((Some("status"), takes_the_status)));
}

/// lifecycle#disputed-link
#[test]
fn a_finalizer_that_is_taken_away_again_and_again_is_written_once_a_minute() {
    paused().block_on(play((None, takes_the_finalizer)));
}
