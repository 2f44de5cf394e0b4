//! The backoff of a namespace after a write failed there. Plain data with the time as an argument. Permissions are granted
//! per namespace, so if the write of one object is forbidden, that of all is. An object whose writes others undo waits alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::{CallError, ObjectName};
use tokio::time::Instant;

use crate::backoff;
use crate::undone_writes::{UndoneWrites, Write};

/// The namespaces in which writes failed.
#[derive(Debug, Default)]
pub(crate) struct NamespaceBackoff {
    namespaces: HashMap<Arc<str>, Entry>,
    /// The delay after a missing permission; without one it grows as after other refusals.
    after_forbidden: Option<Duration>,
    undone: UndoneWrites,
}

#[derive(Debug, Default)]
struct Entry {
    until: Option<Instant>,
    failures: u32,
    forbidden: bool,
}

impl NamespaceBackoff {
    /// A backoff with this delay after a missing permission.
    pub(crate) fn after_forbidden(delay: Duration) -> Self {
        Self {
            after_forbidden: Some(delay),
            ..Self::default()
        }
    }

    /// True while no object of this namespace may be written.
    pub(crate) fn is_waiting(&self, namespace: &str) -> bool {
        self.namespaces
            .get(namespace)
            .is_some_and(|entry| entry.until.is_some())
    }

    /// A write failed. True if a permission is missing and this was not reported yet.
    pub(crate) fn failed(&mut self, namespace: &Arc<str>, error: &CallError, now: Instant) -> bool {
        let entry = self.namespaces.entry(Arc::clone(namespace)).or_default();
        entry.failures = entry.failures.saturating_add(1);
        let (forbidden, delay) = match error {
            CallError::Forbidden(_) => {
                let growing = || backoff::after_refusal(namespace, entry.failures);
                (true, self.after_forbidden.unwrap_or_else(growing))
            }
            CallError::Refused { .. } => (false, backoff::after_refusal(namespace, entry.failures)),
            CallError::Overloaded { retry_after, .. } => {
                let delay = backoff::after_failure(namespace, entry.failures);
                (false, delay.max(retry_after.unwrap_or_default()))
            }
            CallError::NotFound(_)
            | CallError::Conflict(_)
            | CallError::AlreadyExists(_)
            | CallError::Terminating(_)
            | CallError::Server { .. }
            | CallError::Transport(_) => (false, backoff::after_failure(namespace, entry.failures)),
        };
        let until = now + delay;
        entry.until = Some(entry.until.map_or(until, |known| known.max(until)));
        let is_new = forbidden && !entry.forbidden;
        entry.forbidden |= forbidden;
        is_new
    }

    /// True while this content must not be written to the object again, because others undo it.
    pub(crate) fn is_paused(&self, object: &ObjectName, content: i64, now: Instant) -> bool {
        self.undone.is_paused(object, content, now)
    }

    /// A write of this content succeeded; `is_undone`: its answer shows that the same content is due again, or it was refused for
    /// this object alone. True if others undo
    /// it, so that the object waits. If they undo very many, the namespace waits.
    pub(crate) fn wrote(&mut self, object: &ObjectName, content: i64, is_undone: bool, now: Instant) -> bool {
        let write = self.undone.wrote(object, content, is_undone, now);
        if write == Write::TooMany {
            let message = "other clients or policies change very many objects after each write".to_owned();
            self.failed(&object.namespace, &CallError::Refused { code: 0, message }, now);
        } else {
            self.succeeded(&object.namespace);
        }
        write != Write::New
    }

    /// A write succeeded. A backoff that runs stays: another write at the same time may have failed, and its object must be
    /// written again.
    pub(crate) fn succeeded(&mut self, namespace: &str) {
        if let Some(entry) = self.namespaces.get_mut(namespace) {
            (entry.failures, entry.forbidden) = (0, false);
            if entry.until.is_none() {
                self.namespaces.remove(namespace);
            }
        }
    }

    /// When the first backoff, or the first pause of an object, ends.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        let namespaces = self.namespaces.values().filter_map(|entry| entry.until);
        namespaces.chain(self.undone.next_retry()).min()
    }

    /// Takes the objects whose pauses are over: they have to be checked again.
    pub(crate) fn take_undone(&mut self, now: Instant) -> Vec<ObjectName> {
        self.undone.take_over(now)
    }

    /// Takes the namespaces whose backoff is over: their objects have to be checked again.
    pub(crate) fn take_over(&mut self, now: Instant) -> Vec<Arc<str>> {
        let over = self.namespaces.iter_mut().filter_map(|(namespace, entry)| {
            let due = entry.until.is_some_and(|until| until <= now);
            due.then(|| entry.until = None).map(|()| Arc::clone(namespace))
        });
        over.collect()
    }

    /// Nothing is left to write in this namespace.
    pub(crate) fn forget(&mut self, namespace: &str) {
        self.namespaces.remove(namespace);
    }
}

#[cfg(test)]
mod tests;
