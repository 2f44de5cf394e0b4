//! The leader is terminated or killed: for how long no link is served.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Operator, Options};
use futures::StreamExt as _;
use instancelink_api::InstanceLink;
use kube::api::{Api, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Client, Resource as _};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::sample::Sample;
use crate::world::{Number, World};

/// Duration, renew deadline and retry of the lease, as they are shipped.
const LEASE: [u64; 3] = [15_000, 10_000, 2_000];
const ENDS: Duration = Duration::from_secs(30);
/// The interval of edits of one link.
const EDITS: Duration = Duration::from_millis(20);
/// How long the links are watched after the leader was terminated or killed.
const AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(25)];

/// The text on the page.
pub const TEXT: &str = "\
Two operators, with the shipped lease duration (15 s). Every 20 ms another link is edited. *gap* is the longest time in
which no status showed that its edit was seen: after the leader was asked to end (SIGTERM), and after it was killed
(SIGKILL).
";

/// Runs only the operator. The peers use the same kind of lease from their libraries.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let plane = measured_plane().await;
    let world = World::make(&plane, size.links).await;
    let mut first = start(&plane, "first").await;
    sleep(Duration::from_secs(1)).await; // it has the lease before the other asks
    world.activate(&plane, 0..size.links).await;
    let mut second = start(&plane, "second").await;
    let mut audit = Audit::start(&plane);
    let edits = tokio::spawn(edit(plane.client.clone(), size.links));
    let served = Served::watch(plane.client.clone());

    sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    let ended = first.program.stop(ENDS).await;
    assert!(ended.success(), "{ended}: {}", first.program.tail());
    sleep(AFTER[0]).await;
    let ended_gap = served.longest_gap_since(asked);

    let _follower = start(&plane, "first").await;
    sleep(Duration::from_secs(1)).await;
    let killed = Instant::now();
    second.program.kill().await;
    sleep(AFTER[1]).await;
    let killed_gap = served.longest_gap_since(killed);
    edits.abort();

    let requests = audit.take();
    let ms = |gap: Duration| gap.as_secs_f64() * 1000.0;
    let sample = Sample {
        scenario: "failover".to_owned(),
        contestant: Contestant::Operator.to_string(),
        size: size.links,
        figures: BTreeMap::from([
            ("ended_gap_ms".to_owned(), ms(ended_gap)),
            ("killed_gap_ms".to_owned(), ms(killed_gap)),
        ]),
        requests: Some(requests),
    };
    (Machine::this(&plane).await, vec![sample])
}

async fn start(plane: &ControlPlane, name: &str) -> Operator {
    let options = Options {
        log: "error",
        ..Options::elected(name, LEASE)
    };
    Operator::start_ready(plane, &plane.server(), &options).await
}

/// Edits one link after the other until it is stopped.
async fn edit(client: Client, links: usize) {
    let mut times = interval(EDITS);
    for count in 0_usize.. {
        times.tick().await;
        let number = Number(count % links);
        let api: Api<InstanceLink> = Api::namespaced(client.clone(), &number.namespace());
        tokio::spawn(async move {
            let patch = Patch::Merge(json!({ "spec": { "description": format!("edit {count}") } }));
            let patched = api.patch(&number.name(), &PatchParams::default(), &patch).await;
            patched.map(drop)
        });
    }
}

#[derive(Clone, Deserialize)]
struct Seen {
    metadata: Meta,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Deserialize)]
struct Meta {
    generation: i64,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
}

/// The moments when a link's status answered its newest edit.
struct Served {
    moments: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

impl Served {
    fn watch(client: Client) -> Self {
        let moments: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let sink = Arc::clone(&moments);
        let task = tokio::spawn(async move {
            let request = kube::core::Request::new(InstanceLink::url_path(&(), None))
                .watch(&WatchParams::default().timeout(290), "0")
                .expect("a request");
            let events = client.request_events::<Seen>(request).await.expect("a watch");
            let mut events = std::pin::pin!(events);
            while let Some(Ok(event)) = events.next().await {
                if let WatchEvent::Modified(link) = event
                    && link.status.observed_generation == Some(link.metadata.generation)
                {
                    sink.lock().expect("no panic while held").push(Instant::now());
                }
            }
        });
        Self { moments, task }
    }

    /// The longest time without such a moment until now.
    fn longest_gap_since(&self, since: Instant) -> Duration {
        let moments = self.moments.lock().expect("no panic while held");
        let after = moments.iter().copied().filter(|at| *at > since);
        let (longest, last) = after.fold((Duration::ZERO, since), |(longest, last), at| {
            (longest.max(at - last), at)
        });
        longest.max(last.elapsed())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
