//! When each link reached a state, or its status answered an edit, seen by a watcher of its own that reads no more of a link
//! than that.

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
    generation: i64,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    state: String,
    #[serde(default)]
    observed_generation: i64,
}

/// A watcher of all links; their names are unique.
pub struct Moments {
    reached: Arc<Mutex<Times>>,
    task: JoinHandle<()>,
}

impl Moments {
    /// Notes from now on when links are first seen in this state.
    pub fn of(client: Client, state: &'static str) -> Self {
        Self::noting(client, move |link, reached| {
            if link.status.state == state {
                reached.entry(link.metadata.name.clone()).or_insert_with(Instant::now);
            }
        })
    }

    /// Notes from now on when each version of the spec of links is first [`seen`], and first answered by the status, see
    /// [`edit`]: between the two lies what is not the watcher's own delay.
    pub fn of_edits(client: Client) -> Self {
        Self::noting(client, |link, reached| {
            let (name, now) = (&link.metadata.name, Instant::now());
            // Edits that come close upon each other are seen, or answered, together.
            let mut note = |upto: i64, called: fn(&str, i64) -> String| {
                let news = (1..=upto).rev().map(|generation| called(name, generation));
                for news in news.take_while(|news| !reached.contains_key(news)).collect::<Vec<_>>() {
                    reached.insert(news, now);
                }
            };
            note(link.metadata.generation, seen);
            note(link.status.observed_generation, edit);
        })
    }

    fn noting(client: Client, note: impl Fn(&Seen, &mut Times) + Send + Sync + 'static) -> Self {
        let reached: Arc<Mutex<Times>> = Arc::default();
        let sink = Arc::clone(&reached);
        let task = tokio::spawn(async move {
            let mut from = "0".to_owned();
            loop {
                watch(&client, &note, &mut from, &sink).await;
                sleep(Duration::from_millis(50)).await;
            }
        });
        Self { reached, task }
    }

    /// Waits until so many have; panics after `patience` without a new one.
    pub async fn all(&self, count: usize, patience: Duration) -> Times {
        self.until(count, patience, Duration::from_millis(5), Times::len).await;
        self.reached.lock().expect("no panic while held").clone()
    }

    /// Waits until all that was asked for is there, and says since when; panics after `patience` without news.
    pub async fn each(&self, asked: &Times, patience: Duration) -> Times {
        let there = |reached: &Times| asked.keys().filter(|name| reached.contains_key(*name)).count();
        self.until(asked.len(), patience, Duration::from_millis(50), there)
            .await;
        let mut found = self.reached.lock().expect("no panic while held").clone();
        found.retain(|name, _| asked.contains_key(name));
        found
    }

    async fn until(&self, count: usize, patience: Duration, period: Duration, there: impl Fn(&Times) -> usize) {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let now = there(&self.reached.lock().expect("no panic while held"));
            if now >= count {
                return;
            }
            if now > last {
                (last, since) = (now, Instant::now());
            }
            assert!(
                since.elapsed() < patience,
                "{now} of {count} are there, and no more for {patience:?}"
            );
            sleep(period).await;
        }
    }
}

impl Drop for Moments {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What stands for an edit of a link: the generation that the API server gave it.
pub fn edit(link: &str, generation: i64) -> String {
    format!("{link}@{generation}")
}

/// What stands for an edit being seen by the watcher, whatever the status says.
pub fn seen(link: &str, generation: i64) -> String {
    format!("{link}@{generation} seen")
}

/// One watch, until it ends; leaves where the next one begins.
async fn watch(client: &Client, note: &impl Fn(&Seen, &mut Times), from: &mut String, sink: &Mutex<Times>) {
    let request = kube::core::Request::new(InstanceLink::url_path(&(), None))
        .watch(&WatchParams::default().disable_bookmarks(), from)
        .expect("a request");
    let Ok(events) = client.request_events::<Seen>(request).await else {
        return;
    };
    let mut events = std::pin::pin!(events);
    while let Some(Ok(event)) = events.next().await {
        if let WatchEvent::Added(link) | WatchEvent::Modified(link) = event {
            note(&link, &mut sink.lock().expect("no panic while held"));
            *from = link.metadata.resource_version;
        }
    }
}
