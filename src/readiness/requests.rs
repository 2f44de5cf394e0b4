//! The pods whose gates have to be checked. The caches add them, the [`GateWriter`](super::GateWriter) takes them.

use std::collections::BTreeSet;

use instancelink_cluster::ObjectName;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Pods whose gates have to be checked.
#[derive(Debug, Default)]
pub(crate) struct GateRequests {
    /// None while no task writes gates. Such a task checks all pods when it starts.
    pods: Mutex<Option<BTreeSet<ObjectName>>>,
    added: Notify,
}

impl GateRequests {
    /// Requests a check of these pods.
    pub(crate) fn add(&self, pods: impl IntoIterator<Item = ObjectName>) {
        let mut pods = pods.into_iter().peekable();
        if pods.peek().is_none() {
            return;
        }
        if let Some(requested) = self.pods.lock().as_mut() {
            requested.extend(pods);
            self.added.notify_one();
        }
    }

    /// Collects requests from now on.
    pub(super) fn open(&self) {
        *self.pods.lock() = Some(BTreeSet::new());
    }

    /// Waits for requests.
    pub(super) async fn added(&self) {
        self.added.notified().await;
    }

    /// Takes all requests.
    pub(super) fn take(&self) -> BTreeSet<ObjectName> {
        self.pods.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}
