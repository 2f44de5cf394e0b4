//! Counts the requests by namespace, and keeps the time of each change. Each request takes a moment, so that requests for
//! A take time from B if they wait for each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::resource::{EVENTS, LEASES, POLICIES, Resource};
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::faults::hooks::{EventFate, Fate, Hooks};
use serde_json::Value;
use tokio::time::Instant;

/// How long a request takes.
const TAKES: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(super) struct Meter(Mutex<BTreeMap<String, u64>>);

impl Meter {
    /// The requests about a namespace.
    pub(super) fn requests(&self, namespace: &str) -> u64 {
        self.0.lock().unwrap().get(namespace).copied().unwrap_or(0)
    }

    /// All others.
    pub(super) fn others(&self, namespace: &str) -> u64 {
        let counts = self.0.lock().unwrap();
        let others = counts.iter().filter(|(name, _)| *name != namespace);
        others.map(|(_, count)| count).sum()
    }
}

impl Hooks for Meter {
    fn call(&self, call: &Call, _: &[u8]) -> Fate {
        if call.verb == "watch" || *call.resource == LEASES {
            return Fate::Served;
        }
        if *call.resource != EVENTS {
            // Policies of guests count for the other tenant. A creation does not say the name.
            let is_policy = *call.resource == POLICIES;
            let namespace = call.namespace.clone().filter(|_| !is_policy).unwrap_or_default();
            *self.0.lock().unwrap().entry(namespace).or_default() += 1;
        }
        Fate::Held(TAKES, Box::new(Fate::Served))
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}

/// The times of changes, by their versions.
#[derive(Clone, Default)]
pub(super) struct Times(Arc<Mutex<BTreeMap<u64, Instant>>>);

impl Times {
    /// Notes the time of each change. Never returns.
    pub(super) async fn follow(self, api: Arc<Api>) {
        let mut changes = api.changes();
        loop {
            let version = *changes.borrow_and_update();
            self.0.lock().unwrap().entry(version).or_insert_with(Instant::now);
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// When this version was written. Versions that were written together have one time.
    pub(super) fn of(&self, version: u64) -> Option<Instant> {
        let times = self.0.lock().unwrap();
        times.range(version..).next().map(|(_, time)| *time)
    }
}
