//! A watch of one link, from before its creation: all states in order, without gaps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use instancelink_api::{InstanceLink, State};
use kube::Api;
use kube::api::{ListParams, WatchParams};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::versions::follow;
use crate::{Link, LinkManifest, Namespace, SHORT};

/// A watch with a position: each call of `walks` continues where the one before it ended.
pub struct Watch {
    name: String,
    seen: Arc<Seen>,
    place: usize,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// One entry per event; `None` is the deletion.
    events: Mutex<Vec<Option<InstanceLink>>>,
    arrived: Notify,
}

impl Namespace {
    /// Creates a link, and watches it from before its creation.
    pub async fn watched_link(&self, manifest: impl Into<LinkManifest>) -> (Link, Watch) {
        let manifest = manifest.into();
        let watch = Watch::start(self, manifest.name()).await;
        (self.link(manifest).await, watch)
    }
}

impl Watch {
    /// Watches the link with this name. Returns when no later event can be missed. If the link exists already, its
    /// state is the start of the first `walks`.
    pub async fn start(namespace: &Namespace, name: &str) -> Self {
        let api: Api<InstanceLink> = namespace.api();
        let field = format!("metadata.name={name}");
        let list = api
            .list(&ListParams::default().fields(&field))
            .await
            .expect("a list of links");
        let from = list.metadata.resource_version.expect("lists have a resource version");
        let params = WatchParams::default().fields(&field).disable_bookmarks();
        let seen = Arc::new(Seen::default());
        let place = list.items.len();
        seen.events
            .lock()
            .expect("no panic while held")
            .extend(list.items.into_iter().map(Some));
        let sink = Arc::clone(&seen);
        let task = tokio::spawn(follow(api, params, from, move |link, gone| {
            let event = (!gone).then_some(link);
            sink.events.lock().expect("no panic while held").push(event);
            sink.arrived.notify_waiters();
        }));
        Self {
            name: name.to_owned(),
            seen,
            place,
            task,
        }
    }

    /// Every state seen so far, without repetitions.
    pub fn states(&self) -> Vec<State> {
        distinct(&self.events())
    }

    /// Every version of the link seen so far.
    pub fn versions(&self) -> Vec<InstanceLink> {
        self.events().into_iter().flatten().collect()
    }

    /// The last version of the link. None if it does not exist yet, or no longer exists.
    pub fn newest(&self) -> Option<InstanceLink> {
        self.seen
            .events
            .lock()
            .expect("no panic while held")
            .last()
            .cloned()
            .flatten()
    }

    /// Expects exactly these states next: waits for the last of them, and fails at the first that differs.
    pub async fn walks(&mut self, expected: impl AsRef<[State]>) {
        self.walks_within(expected, Duration::from_secs(40)).await;
    }

    /// The same, with its own limit.
    pub async fn walks_within(&mut self, expected: impl AsRef<[State]>, limit: Duration) {
        let expected = expected.as_ref();
        let place = self.place;
        self.wait(limit, &format!("states {}", names(expected)), |states| {
            let next = &states[place.min(states.len())..];
            let common = next.len().min(expected.len());
            if next[..common] == expected[..common] {
                Ok(next.len() >= expected.len())
            } else {
                Err(())
            }
        })
        .await;
        self.place += expected.len();
    }

    /// Expects no further state for a while: the link stays in the last state of `walks`.
    pub async fn rests(&mut self) {
        sleep(Duration::from_millis(1500)).await;
        let states = self.states();
        let more = &states[self.place.min(states.len())..];
        assert!(
            more.is_empty(),
            "{} should rest, but went on: {}\n{}",
            self.name,
            names(more),
            self.last()
        );
    }

    /// Waits until the object is gone, after exactly these states.
    pub async fn walks_and_is_gone(&mut self, expected: impl AsRef<[State]>) {
        self.walks(expected).await;
        let limit = SHORT;
        let gone = async {
            loop {
                let arrived = self.seen.arrived.notified();
                if matches!(self.events().last(), Some(None)) {
                    return;
                }
                arrived.await;
            }
        };
        assert!(
            timeout(limit, gone).await.is_ok(),
            "{} is still there after {limit:?}; states {}\n{}",
            self.name,
            names(&self.states()),
            self.last()
        );
        let states = self.states();
        assert_eq!(
            states.len(),
            self.place,
            "more states than expected: {}",
            names(&states)
        );
    }

    async fn wait(&self, limit: Duration, what: &str, check: impl Fn(&[State]) -> Result<bool, ()>) {
        let walk = async {
            loop {
                let arrived = self.seen.arrived.notified();
                let states = self.states();
                match check(&states) {
                    Ok(true) => return,
                    Ok(false) => arrived.await,
                    Err(()) => panic!(
                        "{} should go through {what} after {}, but went {}\n{}",
                        self.name,
                        names(&states[..self.place.min(states.len())]),
                        names(&states),
                        self.last()
                    ),
                }
            }
        };
        assert!(
            timeout(limit, walk).await.is_ok(),
            "{} did not go through {what} within {limit:?}; it went {}\n{}",
            self.name,
            names(&self.states()),
            self.last()
        );
    }

    fn events(&self) -> Vec<Option<InstanceLink>> {
        self.seen.events.lock().expect("no panic while held").clone()
    }

    fn last(&self) -> String {
        let mut last = self
            .versions()
            .pop()
            .unwrap_or_else(|| panic!("{} was never seen", self.name));
        last.metadata.managed_fields = None;
        serde_yaml_ng::to_string(&last).unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn distinct(events: &[Option<InstanceLink>]) -> Vec<State> {
    let mut states: Vec<State> = events
        .iter()
        .flatten()
        .map(|link| link.status.as_ref().map(|s| s.state).unwrap_or_default())
        .collect();
    states.dedup();
    states
}

fn names(states: &[State]) -> String {
    let names: Vec<&str> = states.iter().map(|s| s.as_str()).collect();
    if names.is_empty() {
        "(none)".to_owned()
    } else {
        names.join(" → ")
    }
}
