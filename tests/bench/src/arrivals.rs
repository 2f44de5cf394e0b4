//! When a watcher of pods and a watcher of slices heard that an address is ready, or is not any more.

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

/// Longer than anybody's backoff between two attempts.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two watchers of one namespace.
pub struct Arrivals {
    pods: Arc<Mutex<Heard>>,
    slices: Arc<Mutex<Heard>>,
    tasks: [JoinHandle<()>; 2],
}

/// What one watcher heard.
#[derive(Default)]
struct Heard {
    /// The addresses that are ready, by the object that says so.
    ready: HashMap<String, BTreeSet<String>>,
    /// When that became otherwise last.
    since: HashMap<String, (bool, Instant)>,
    events: usize,
}

impl Arrivals {
    /// Listens from now on.
    pub async fn of(town: &Namespace) -> Self {
        let (pods, slices) = (Arc::default(), Arc::default());
        let tasks = [
            listen::<Pod, Spoken>(town, Arc::clone(&pods)).await,
            listen::<EndpointSlice, Sliced>(town, Arc::clone(&slices)).await,
        ];
        Self { pods, slices, tasks }
    }

    /// Waits until both have heard it of all these addresses: how much later than the pods the slices said so.
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

    /// How many versions of slices there were.
    #[allow(clippy::cast_precision_loss)] // a number of events
    pub fn slice_events(&self) -> f64 {
        self.slices.lock().expect("no panic while held").events as f64
    }

    /// Waits until every slice says that exactly these addresses are ready: how much later than the last
    /// event of a pod the last of a slice came.
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

/// No more of an object than is looked at: the time of parsing is part of what is measured.
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

/// Begins with what stands, which is no news.
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
