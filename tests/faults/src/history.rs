//! Every version of a link, across outages of the API server. Where a watch cannot continue, the gap is recorded, and
//! the current version is read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{Namespace, follow_while_known};
use instancelink_api::{InstanceLink, State};
use instancelink_properties::linear::Watched;
use kube::Api;
use kube::api::{ListParams, WatchParams};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The versions of one link, from before its creation.
pub(crate) struct History {
    /// `None` is a gap: versions may be missing.
    seen: Arc<Mutex<Vec<Option<InstanceLink>>>>,
    task: JoinHandle<()>,
}

impl History {
    /// Starts to watch.
    pub(crate) fn start(namespace: &Namespace, name: &str) -> Self {
        let api: Api<InstanceLink> = namespace.api();
        let seen: Arc<Mutex<Vec<Option<InstanceLink>>>> = Arc::default();
        let (sink, field) = (Arc::clone(&seen), format!("metadata.name={name}"));
        let task = tokio::spawn(async move {
            loop {
                look(&api, &field, &sink).await;
                sink.lock().expect("no panic while held").push(None);
                sleep(Duration::from_millis(200)).await;
            }
        });
        Self { seen, task }
    }

    /// The version seen last.
    pub(crate) fn newest(&self) -> Option<InstanceLink> {
        let seen = self.seen.lock().expect("no panic while held");
        seen.iter().rev().flatten().next().cloned()
    }

    /// All versions.
    pub(crate) fn versions(&self) -> Vec<InstanceLink> {
        self.seen
            .lock()
            .expect("no panic while held")
            .iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Every change of state of which both sides were seen.
    pub(crate) fn changes(&self) -> Vec<(State, State)> {
        let seen = self.seen.lock().expect("no panic while held");
        let state = |link: &InstanceLink| link.status.as_ref().map(|s| s.state).unwrap_or_default();
        let pairs = seen
            .windows(2)
            .filter_map(|pair| Some((state(pair[0].as_ref()?), state(pair[1].as_ref()?))));
        pairs.filter(|(from, to)| from != to).collect()
    }

    /// Violations in the actions of a link at rest. Between two gaps its actions must be linearizable.
    pub(crate) fn disorder(&self) -> Vec<String> {
        let mut watched = Watched::default();
        for version in self.seen.lock().expect("no panic while held").iter() {
            match version {
                // Only the operator writes a status here.
                Some(link) => watched.version(link, true),
                None => watched.cut(),
            }
        }
        watched.rested();
        watched.violations
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the current version, then watches until the watch cannot continue.
async fn look(api: &Api<InstanceLink>, field: &str, sink: &Mutex<Vec<Option<InstanceLink>>>) {
    let take = |link: InstanceLink| sink.lock().expect("no panic while held").push(Some(link));
    let Ok(list) = api.list(&ListParams::default().fields(field)).await else {
        return;
    };
    let from = list.metadata.resource_version.unwrap_or_default();
    list.items.into_iter().for_each(take);
    let params = WatchParams::default().fields(field).disable_bookmarks();
    follow_while_known(api, &params, from, |link, _| take(link)).await;
}
