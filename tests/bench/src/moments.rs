//! The moments when links reach a state, or their status answers an edit. A separate watch records them, and reads no
//! other fields of a link.

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

/// A watch of all links. Their names are unique.
pub struct Moments {
    reached: Arc<Mutex<Times>>,
    task: JoinHandle<()>,
}

impl Moments {
    /// Records from now on when links are first seen in this state.
    pub fn of(client: Client, state: &'static str) -> Self {
        Self::noting(client, move |link, reached| {
            if link.status.state == state {
                reached.entry(link.metadata.name.clone()).or_insert_with(Instant::now);
            }
        })
    }

    /// Records from now on when each version of a link's spec is first [`seen`], and when the status first answers it,
    /// see
    /// [`edit`]. The time between the two does not include the delay of the watch.
    pub fn of_edits(client: Client) -> Self {
        Self::noting(client, |link, reached| {
            let (name, now) = (&link.metadata.name, Instant::now());
            // Edits in quick succession may be seen, or answered, together.
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

    /// Waits until this number of links has. Panics after `patience` without a new one.
    pub async fn all(&self, count: usize, patience: Duration) -> Times {
        self.until(count, patience, Duration::from_millis(5), Times::len).await;
        self.reached.lock().expect("no panic while held").clone()
    }

    /// Waits until everything requested has happened, and returns when. Panics after `patience` without progress.
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

/// The key of an edit of a link: the generation from the API server.
pub fn edit(link: &str, generation: i64) -> String {
    format!("{link}@{generation}")
}

/// The key of the moment when the watch sees an edit, whatever the status says.
pub fn seen(link: &str, generation: i64) -> String {
    format!("{link}@{generation} seen")
}

/// Runs one watch until it ends. Keeps the version where the next one starts.
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
