//! When each link reached a state, seen by a watcher of its own that reads no more of a link than its name and state.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use instancelink_api::InstanceLink;
use kube::api::{WatchEvent, WatchParams};
use kube::{Client, Resource as _};
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::sample::Times;

#[derive(Clone, Deserialize)]
struct Seen {
    metadata: Meta,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: String,
    resource_version: String,
}

#[derive(Clone, Default, Deserialize)]
struct Status {
    #[serde(default)]
    state: String,
}

/// A watcher of all links; their names are unique.
pub struct Moments {
    reached: Arc<Mutex<Times>>,
    task: JoinHandle<()>,
}

impl Moments {
    /// Notes from now on when links are first seen in this state.
    pub fn of(client: Client, state: &'static str) -> Self {
        let reached: Arc<Mutex<Times>> = Arc::default();
        let sink = Arc::clone(&reached);
        let task = tokio::spawn(async move {
            let mut from = "0".to_owned();
            loop {
                watch(&client, state, &mut from, &sink).await;
                sleep(Duration::from_millis(50)).await;
            }
        });
        Self { reached, task }
    }

    /// How many have.
    pub fn count(&self) -> usize {
        self.reached.lock().expect("no panic while held").len()
    }

    /// Waits until so many have; panics after `limit` without a new one.
    pub async fn all(&self, count: usize, patience: Duration) -> Times {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let now = self.count();
            if now >= count {
                return self.reached.lock().expect("no panic while held").clone();
            }
            if now > last {
                (last, since) = (now, Instant::now());
            }
            assert!(
                since.elapsed() < patience,
                "{now} of {count} links got there, and no more for {patience:?}"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Moments {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One watch, until it ends; leaves where the next one begins.
async fn watch(client: &Client, state: &str, from: &mut String, sink: &Mutex<Times>) {
    let request = kube::core::Request::new(InstanceLink::url_path(&(), None))
        .watch(&WatchParams::default().disable_bookmarks(), from)
        .expect("a request");
    let Ok(events) = client.request_events::<Seen>(request).await else {
        return;
    };
    let mut events = std::pin::pin!(events);
    while let Some(Ok(event)) = events.next().await {
        if let WatchEvent::Added(link) | WatchEvent::Modified(link) = event {
            if link.status.state == state {
                let mut reached = sink.lock().expect("no panic while held");
                reached.entry(link.metadata.name).or_insert_with(Instant::now);
            }
            *from = link.metadata.resource_version;
        }
    }
}
