//! How long a watch that failed is left alone. What happens meanwhile is seen by nobody, and an API server that starts
//! refuses for a moment what it allows later: so seconds, where clients of Kubernetes wait for up to half a minute.

use std::time::Duration;

use kube::runtime::utils::Backoff;

use crate::reconcile::backoff::up_to;

/// The longest that most watches are left alone.
pub(crate) const SECONDS: Duration = Duration::from_secs(4);

/// Between the attempts of one watch.
#[derive(Clone, Debug)]
pub(crate) struct WatchBackoff {
    kind: &'static str,
    longest: Duration,
    failures: u32,
}

impl WatchBackoff {
    /// Of a kind's watch.
    pub(crate) fn new(kind: &'static str, longest: Duration) -> Self {
        Self {
            kind,
            longest,
            failures: 0,
        }
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        Some(up_to(self.longest, &self.kind, self.failures))
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_fails_is_tried_again_within_seconds_and_soon_after_it_has_succeeded() {
        let mut backoff = WatchBackoff::new("Pod", SECONDS);
        let first = backoff.next().unwrap();
        assert!(first <= Duration::from_millis(500), "{first:?}");
        assert!(backoff.by_ref().take(10).all(|wait| wait > first && wait <= SECONDS));
        backoff.reset();
        assert_eq!(backoff.next(), Some(first));
    }
}
