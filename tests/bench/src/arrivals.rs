//! The moments when a watch of pods and a watch of slices report that an address is ready or not ready.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use harness::Namespace;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Resource;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Longer than the backoff of each contestant.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two watches of one namespace.
pub struct Arrivals {
    pods: Arc<Mutex<Heard>>,
    slices: Arc<Mutex<Heard>>,
    tasks: [JoinHandle<()>; 2],
}

/// What one watch has reported.
#[derive(Default)]
struct Heard {
    /// The ready addresses, by object.
    ready: HashMap<String, BTreeSet<String>>,
    /// When that last changed.
    since: HashMap<String, (bool, Instant)>,
    events: usize,
}

impl Arrivals {
    /// Starts both watches.
    pub async fn of(town: &Namespace) -> Self {
        let (pods, slices) = (Arc::default(), Arc::default());
        let tasks = [
            listen::<Pod, Spoken>(town, Arc::clone(&pods)).await,
            listen::<EndpointSlice, Sliced>(town, Arc::clone(&slices)).await,
        ];
        Self { pods, slices, tasks }
    }

    /// Waits until both have reported all these addresses. Returns the delays of the slices behind the pods.
    pub async fn after_each(&self, addresses: &[String], ready: bool) -> Vec<Duration> {
        let started = Instant::now();
        loop {
            let found = self.delays(addresses, ready);
            if found.len() == addresses.len() {
                return found;
            }
            let (heard, all) = (found.len(), addresses.len());
            assert!(started.elapsed() < PATIENCE, "{heard} of {all} are {ready} in slices");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// The number of versions of slices.
    #[allow(clippy::cast_precision_loss)] // a number of events
    pub fn slice_events(&self) -> f64 {
        self.slices.lock().expect("no panic while held").events as f64
    }

    /// Waits until the slices have exactly these ready addresses. Returns the delay of the last event of a slice behind
    /// the last event of a pod.
    pub async fn converged(&self, slices: usize, addresses: &BTreeSet<String>) -> Duration {
        let started = Instant::now();
        loop {
            {
                let pods = self.pods.lock().expect("no panic while held");
                let heard = self.slices.lock().expect("no panic while held");
                let right = heard.ready.values().filter(|ready| *ready == addresses).count();
                if right == slices {
                    let last = |heard: &Heard| heard.since.values().map(|(_, at)| *at).max();
                    return last(&heard)
                        .zip(last(&pods))
                        .map_or(Duration::ZERO, |(s, p)| s.saturating_duration_since(p));
                }
                assert!(started.elapsed() < PATIENCE, "{right} of {slices} slices are right");
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn delays(&self, addresses: &[String], ready: bool) -> Vec<Duration> {
        let pods = self.pods.lock().expect("no panic while held");
        let slices = self.slices.lock().expect("no panic while held");
        let at = |heard: &Heard, address: &String| {
            let since = heard.since.get(address).filter(|(is, _)| *is == ready);
            since.map(|(_, at)| *at)
        };
        let delay = |address| Some(at(&slices, address)?.saturating_duration_since(at(&pods, address)?));
        addresses.iter().filter_map(delay).collect()
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Heard {
    fn hear(&mut self, name: String, now: BTreeSet<String>) {
        let at = Instant::now();
        let before = self.ready.remove(&name).unwrap_or_default();
        for address in before.symmetric_difference(&now) {
            self.since.insert(address.clone(), (now.contains(address), at));
        }
        self.ready.insert(name, now);
        self.events += 1;
    }
}

/// Only the fields that are read, because the time of parsing is part of the measurement.
trait Says: DeserializeOwned + Send + 'static {
    fn meta(&self) -> &Meta;
    fn ready(&self) -> BTreeSet<String>;
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: String,
    resource_version: String,
}

#[derive(Clone, Deserialize)]
struct Spoken {
    metadata: Meta,
    status: Value,
}

#[derive(Clone, Deserialize)]
struct Sliced {
    metadata: Meta,
    #[serde(default)]
    endpoints: Option<Vec<Endpoint>>,
}

#[derive(Clone, Deserialize)]
struct Endpoint {
    addresses: Vec<String>,
    conditions: Value,
}

impl Says for Spoken {
    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn ready(&self) -> BTreeSet<String> {
        let conditions = self.status["conditions"].as_array().into_iter().flatten();
        let mut ready = conditions.filter(|c| c["type"] == "Ready" && c["status"] == "True");
        let address = self.status["podIP"].as_str().map(str::to_owned);
        ready.next().and(address).into_iter().collect()
    }
}

impl Says for Sliced {
    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn ready(&self) -> BTreeSet<String> {
        let endpoints = self.endpoints.iter().flatten();
        let ready = endpoints.filter(|endpoint| endpoint.conditions["ready"] == true);
        ready.flat_map(|endpoint| endpoint.addresses.iter().cloned()).collect()
    }
}

/// It starts with the existing objects, which are no changes.
async fn listen<K, S: Says>(town: &Namespace, heard: Arc<Mutex<Heard>>) -> JoinHandle<()>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    let path = K::url_path(&(), Some(&town.name));
    let client = town.client.clone();
    let list = kube::core::Request::new(&path)
        .list(&ListParams::default())
        .expect("a request");
    let list: kube::core::ObjectList<Value> = client.request(list).await.expect("a list");
    let mut from = list.metadata.resource_version.expect("lists have a version");
    for object in list.items {
        let object: S = serde_json::from_value(object).expect("an object");
        let name = object.meta().name.clone();
        let mut heard = heard.lock().expect("no panic while held");
        heard.ready.insert(name, object.ready());
    }
    tokio::spawn(async move {
        loop {
            let watch = kube::core::Request::new(&path).watch(&WatchParams::default().disable_bookmarks(), &from);
            let events = client.request_events::<Value>(watch.expect("a request")).await;
            let mut events = std::pin::pin!(events.expect("a watch"));
            while let Some(Ok(event)) = events.next().await {
                let (object, gone) = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                    WatchEvent::Deleted(object) => (object, true),
                    WatchEvent::Bookmark(_) | WatchEvent::Error(_) => break,
                };
                let object: S = serde_json::from_value(object).expect("an object");
                from.clone_from(&object.meta().resource_version);
                let ready = if gone { BTreeSet::new() } else { object.ready() };
                let mut heard = heard.lock().expect("no panic while held");
                heard.hear(object.meta().name.clone(), ready);
            }
        }
    })
}
