//! Objects that a task has to look at. The caches add them, the task takes them.

use std::collections::BTreeSet;

use instancelink_cluster::ObjectName;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Objects that a task has to look at.
#[derive(Debug, Default)]
pub(crate) struct RequestedNames {
    /// None while the task does not run. It looks at all objects when it starts.
    names: Mutex<Option<BTreeSet<ObjectName>>>,
    added: Notify,
}

impl RequestedNames {
    /// Requests a look at these objects.
    pub(crate) fn add(&self, names: impl IntoIterator<Item = ObjectName>) {
        let mut names = names.into_iter().peekable();
        if names.peek().is_none() {
            return;
        }
        if let Some(requested) = self.names.lock().as_mut() {
            requested.extend(names);
            self.added.notify_one();
        }
    }

    /// Collects requests from now on.
    pub(crate) fn open(&self) {
        *self.names.lock() = Some(BTreeSet::new());
    }

    /// Waits for requests.
    pub(crate) async fn added(&self) {
        self.added.notified().await;
    }

    /// Takes all requests.
    pub(crate) fn take(&self) -> BTreeSet<ObjectName> {
        self.names.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}
