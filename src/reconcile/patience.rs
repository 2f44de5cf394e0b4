//! How long to leave the pods of a namespace alone after a write of a readiness gate failed there: plain data and the
//! time as an argument. Rights are given by namespace, so where one pod may not be written, none may.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff;
use instancelink_cluster::CallError;

/// A right that is missing: asked for so rarely, since nobody tells when it is given.
const UNTIL_RIGHTS: Duration = Duration::from_mins(5);

/// The namespaces in which writes failed.
#[derive(Debug, Default)]
pub(super) struct Patience {
    namespaces: HashMap<Arc<str>, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    until: Option<Instant>,
    failures: u32,
    forbidden: bool,
}

impl Patience {
    /// True where pods of this namespace are to be left alone.
    pub(super) fn waits(&self, namespace: &str) -> bool {
        self.namespaces
            .get(namespace)
            .is_some_and(|entry| entry.until.is_some())
    }

    /// A write failed. True where this is a missing right that was not told of yet.
    pub(super) fn failed(&mut self, namespace: &Arc<str>, error: &CallError, now: Instant) -> bool {
        let entry = self.namespaces.entry(Arc::clone(namespace)).or_default();
        entry.failures = entry.failures.saturating_add(1);
        let (forbidden, delay) = match error {
            CallError::Forbidden(_) => (true, UNTIL_RIGHTS),
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
        let news = forbidden && !entry.forbidden;
        entry.forbidden |= forbidden;
        news
    }

    /// A write succeeded. Another one of the same moment may have failed, whose pod must not be forgotten: its time stays.
    pub(super) fn succeeded(&mut self, namespace: &str) {
        if let Some(entry) = self.namespaces.get_mut(namespace) {
            (entry.failures, entry.forbidden) = (0, false);
            if entry.until.is_none() {
                self.namespaces.remove(namespace);
            }
        }
    }

    /// When the first of these times is over.
    pub(super) fn next(&self) -> Option<Instant> {
        self.namespaces.values().filter_map(|entry| entry.until).min()
    }

    /// The namespaces whose time is over: their pods are to be looked at again.
    pub(super) fn over(&mut self, now: Instant) -> Vec<Arc<str>> {
        let over = self.namespaces.iter_mut().filter_map(|(namespace, entry)| {
            let due = entry.until.is_some_and(|until| until <= now);
            due.then(|| entry.until = None).map(|()| Arc::clone(namespace))
        });
        over.collect()
    }

    /// Nothing is left to write in this namespace.
    pub(super) fn forget(&mut self, namespace: &str) {
        self.namespaces.remove(namespace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Arc<str> {
        "shop".into()
    }

    fn forbidden() -> CallError {
        CallError::Forbidden("no".to_owned())
    }

    #[test]
    fn a_missing_right_is_asked_for_once_in_five_minutes_and_told_of_once() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        assert!(patience.failed(&shop(), &forbidden(), start));
        assert!(patience.waits("shop") && !patience.waits("data"));
        assert_eq!(patience.next(), Some(start + UNTIL_RIGHTS));
        assert!(
            patience
                .over(start + UNTIL_RIGHTS - Duration::from_millis(1))
                .is_empty()
        );
        assert_eq!(patience.over(start + UNTIL_RIGHTS), [shop()]);
        assert!(!patience.waits("shop"));
        assert!(
            !patience.failed(&shop(), &forbidden(), start + UNTIL_RIGHTS),
            "told already"
        );
        patience.succeeded("shop");
        assert!(patience.failed(&shop(), &forbidden(), start), "taken away again");
    }

    #[test]
    fn what_mends_itself_is_tried_again_within_seconds() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        for _ in 0..10 {
            assert!(!patience.failed(&shop(), &CallError::Transport("gone".to_owned()), start));
        }
        assert!(
            patience
                .next()
                .is_some_and(|next| next <= start + Duration::from_secs(4))
        );
    }

    #[test]
    fn a_success_beside_a_failure_does_not_keep_the_failed_pod_from_its_turn() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        patience.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
        patience.succeeded("shop");
        assert_eq!(patience.over(start + Duration::from_secs(1)), [shop()]);
        patience.succeeded("shop");
        assert!(patience.namespaces.is_empty());
    }

    #[test]
    fn of_several_failures_at_once_the_longest_wait_counts() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        patience.failed(&shop(), &forbidden(), start);
        patience.failed(&shop(), &CallError::Transport("gone".to_owned()), start);
        assert_eq!(patience.next(), Some(start + UNTIL_RIGHTS));
    }
}
