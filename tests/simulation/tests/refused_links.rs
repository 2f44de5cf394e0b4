//! The API server refuses every write of a link but the removal of its finalizer, as for an object that is as large as an
//! object may be: consent that is withdrawn cuts the link all the same, and a deletion completes.
//!
//! Rule: lifecycle#refused-link-write.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use instancelink_simulation::operator::{NAME, Running};
use instancelink_simulation::run::paused;
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::failure::Failure;
use instancelink_testkit::api::resource::{CONFIG_MAPS, GRANTS, LINKS, Resource, SERVICES, SLICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::faults::hooks::{Answer, EventFate, Fate, Hooks};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Longer than any wait of an activation.
const SETTLED: Duration = Duration::from_secs(40);

/// The answer of the API server if a webhook of links does not work.
const BROKEN_WEBHOOK: u16 = 500;

/// Refuses writes of links with this code, once it is switched on.
struct Full {
    code: u16,
    on: AtomicBool,
    refused: AtomicUsize,
}

impl Hooks for Full {
    fn call(&self, call: &Call, body: &[u8]) -> Fate {
        let releases = String::from_utf8_lossy(body).contains("\"finalizers\":[]");
        let concerned = call.verb == "patch" && *call.resource == LINKS && call.by.starts_with(NAME);
        if !self.on.load(Ordering::Relaxed) || !concerned || releases {
            return Fate::Served;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let answer = match self.code {
            BROKEN_WEBHOOK => {
                let message = "Internal error occurred: failed calling webhook \"links.example.com\": EOF".to_owned();
                Answer::Failure(Failure::new(self.code, "InternalError", message))
            }
            code => Answer::Code {
                code,
                reason: "Invalid",
                retry_after: None,
            },
        };
        Fate::NotServed(answer)
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}

fn key(resource: &'static Resource, namespace: &str, name: &str) -> Key {
    Key {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn exists(api: &Api, key: &Key) -> bool {
    api.store().get(key).is_some()
}

fn delete(api: &Api, key: &Key) {
    let deleted = api.change(|store, now| {
        let writer = Writer { by: "user", now };
        instancelink_testkit::api::delete::delete(store, key, &json!({}), writer).map(drop)
    });
    deleted.unwrap();
}

fn annotate(api: &Api, action: &str) {
    api.change(|store, now| {
        let link = key(&LINKS, "shop", "db");
        let mut object = Value::clone(store.get(&link).unwrap());
        object["metadata"]["annotations"]["instancelink.dev/action"] = json!(action);
        let written = write::update(store, &link, None, object, true, Writer { by: "user", now });
        written.unwrap();
    });
}

/// An active link of `shop` into `data`, then an API server that refuses each write of it.
async fn with_full_link(code: u16, test: impl AsyncFnOnce(&Arc<Api>, &Full)) {
    let api = Arc::new(Api::default());
    seeds::plant(&api);
    let spec = json!({ "from": [{ "namespace": "shop" }], "to": [{ "kind": "Deployment" }] });
    seeds::put(
        &api,
        &GRANTS,
        json!({ "metadata": { "name": "shop", "namespace": "data" }, "spec": spec }),
    );
    let target = json!({ "kind": "Deployment", "name": "pg", "namespace": "data" });
    let spec = json!({
        "linkName": "db", "instanceRef": { "kind": "Deployment", "name": "web" }, "targetInstanceRef": target,
    });
    seeds::put(
        &api,
        &LINKS,
        json!({ "metadata": { "name": "db", "namespace": "shop" }, "spec": spec }),
    );
    let full = Arc::new(Full {
        code,
        on: AtomicBool::new(false),
        refused: AtomicUsize::new(0),
    });
    let hooks: Arc<dyn Hooks> = full.clone();
    let operator = Running::start_with(&api, &hooks, &format!("{NAME}-1"), SignedDuration::ZERO, &[]);
    sleep(SETTLED).await;
    assert!(exists(&api, &key(&SLICES, "shop", "db-v4")));
    full.on.store(true, Ordering::Relaxed);
    test(&api, &full).await;
    assert!(full.refused.load(Ordering::Relaxed) > 0, "something was refused");
    assert!(!operator.has_ended());
}

#[test]
fn withdrawn_consent_cuts_a_link_that_cannot_be_written() {
    for (code, action) in [
        (422, None),
        (413, None),
        (403, None),
        (422, Some("deactivate/1")),
        (413, Some("bogus")),
        (BROKEN_WEBHOOK, None),
    ] {
        paused().block_on(with_full_link(code, async |api, full| {
            if let Some(action) = action {
                annotate(api, action);
                sleep(SETTLED).await;
            }
            delete(api, &key(&GRANTS, "data", "shop"));
            sleep(SETTLED).await;
            assert!(!exists(api, &key(&SLICES, "shop", "db-v4")), "{code} {action:?}");
            let before = full.refused.load(Ordering::Relaxed);
            sleep(Duration::from_hours(1)).await;
            let tried = full.refused.load(Ordering::Relaxed) - before;
            // Each pass tries three times. No event tells when a webhook works again, so its pauses grow to 8 s only.
            let passes = if code == BROKEN_WEBHOOK { 600 } else { 60 };
            assert!((3..3 * passes).contains(&tried), "with growing pauses: {tried}");
        }));
    }
}

#[test]
fn a_deletion_of_a_link_that_cannot_be_written_completes() {
    for (code, action) in [
        (422, None),
        (413, None),
        (403, None),
        (BROKEN_WEBHOOK, None),
        (422, Some("deactivate/1")),
    ] {
        paused().block_on(with_full_link(code, async |api, _| {
            if let Some(action) = action {
                annotate(api, action);
            }
            delete(api, &key(&LINKS, "shop", "db"));
            sleep(SETTLED).await;
            for left in [
                key(&LINKS, "shop", "db"),
                key(&SLICES, "shop", "db-v4"),
                key(&SERVICES, "shop", "web-links"),
                key(&CONFIG_MAPS, "shop", "web-links"),
            ] {
                assert!(!exists(api, &left), "{code} {action:?}: {left:?}");
            }
        }));
    }
}
