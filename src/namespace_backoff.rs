//! The backoff of a namespace after a write failed there. Plain data with the time as an argument. Permissions are granted
//! per namespace, so if the write of one object is forbidden, that of all is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::{CallError, ObjectName};
use tokio::time::Instant;

use crate::backoff;
use crate::undone_writes::UndoneWrites;

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

    /// A write of this content succeeded. True if it only repeats the last one of the object, because others undo it: then the
    /// namespace waits as after a refusal.
    pub(crate) fn wrote(&mut self, object: &ObjectName, content: String, now: Instant) -> bool {
        let is_undone = self.undone.repeats(object, content, now);
        if is_undone {
            let message = "another client or a policy changes it after each write".to_owned();
            self.failed(&object.namespace, &CallError::Refused { code: 0, message }, now);
        } else {
            self.succeeded(&object.namespace);
        }
        is_undone
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

    /// When the first backoff ends.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.namespaces.values().filter_map(|entry| entry.until).min()
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
mod tests {
    use super::*;

    const AFTER_FORBIDDEN: Duration = Duration::from_mins(5);

    fn shop() -> Arc<str> {
        "shop".into()
    }

    fn forbidden() -> CallError {
        CallError::Forbidden("no".to_owned())
    }

    #[test]
    fn a_missing_permission_is_retried_each_five_minutes_and_reported_once() {
        let (mut backoff, start) = (NamespaceBackoff::after_forbidden(AFTER_FORBIDDEN), Instant::now());
        assert!(backoff.failed(&shop(), &forbidden(), start));
        assert!(backoff.is_waiting("shop") && !backoff.is_waiting("data"));
        assert_eq!(backoff.next_retry(), Some(start + AFTER_FORBIDDEN));
        assert!(
            backoff
                .take_over(start + AFTER_FORBIDDEN - Duration::from_millis(1))
                .is_empty()
        );
        assert_eq!(backoff.take_over(start + AFTER_FORBIDDEN), [shop()]);
        assert!(!backoff.is_waiting("shop"));
        assert!(
            !backoff.failed(&shop(), &forbidden(), start + AFTER_FORBIDDEN),
            "reported already"
        );
        backoff.succeeded("shop");
        assert!(backoff.failed(&shop(), &forbidden(), start), "revoked again");
    }

    #[test]
    fn a_transient_failure_is_retried_within_seconds() {
        let (mut backoff, start) = (NamespaceBackoff::default(), Instant::now());
        for _ in 0..10 {
            assert!(!backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start));
        }
        assert!(
            backoff
                .next_retry()
                .is_some_and(|next| next <= start + Duration::from_secs(4))
        );
    }

    #[test]
    fn a_success_does_not_end_the_backoff_of_a_failed_write_at_the_same_time() {
        let (mut backoff, start) = (NamespaceBackoff::default(), Instant::now());
        backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
        backoff.succeeded("shop");
        assert_eq!(backoff.take_over(start + Duration::from_secs(1)), [shop()]);
        backoff.succeeded("shop");
        assert!(backoff.namespaces.is_empty());
    }

    #[test]
    fn writes_that_others_undo_are_repeated_with_growing_pauses() {
        let (mut backoff, mut now) = (NamespaceBackoff::default(), Instant::now());
        let grant = ObjectName::new("shop", "grant");
        let start = now;
        let mut written = Vec::new();
        while now < start + Duration::from_mins(30) {
            backoff.wrote(&grant, "valid".to_owned(), now);
            written.push(now - start);
            now = backoff.next_retry().unwrap_or(now);
            backoff.take_over(now);
        }
        let late = written.iter().filter(|at| **at > Duration::from_mins(5));
        assert!(late.count() <= 8 && written.len() < 20, "{written:?}");
        assert!(
            !backoff.wrote(&grant, "not valid".to_owned(), now),
            "its owner changed it"
        );
        assert!(!backoff.is_waiting("shop"));
    }

    #[test]
    fn of_several_failures_at_once_the_longest_backoff_counts() {
        let (mut backoff, start) = (NamespaceBackoff::after_forbidden(AFTER_FORBIDDEN), Instant::now());
        backoff.failed(&shop(), &forbidden(), start);
        backoff.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
        assert_eq!(backoff.next_retry(), Some(start + AFTER_FORBIDDEN));
    }
}
