//! The pause of a watch after a failure. Changes during a pause are seen only after it, and an API server that starts
//! refuses for a moment what it allows later. So it is seconds, where clients of Kubernetes wait for up to half a
//! minute.

use std::time::Duration;

use kube::runtime::utils::Backoff;

use crate::backoff::up_to;

/// The pauses between the attempts of one watch.
#[derive(Clone, Debug)]
pub struct WatchBackoff {
    kind: &'static str,
    longest: Duration,
    failures: u32,
}

impl WatchBackoff {
    /// The backoff of the watch of a kind.
    pub fn new(kind: &'static str, longest: Duration) -> Self {
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
    use crate::backoff::LONGEST;

    #[test]
    fn a_watch_that_fails_is_tried_again_within_seconds_and_soon_after_it_has_succeeded() {
        let mut backoff = WatchBackoff::new("Pod", LONGEST);
        let first = backoff.next().unwrap();
        assert!(first <= Duration::from_millis(500), "{first:?}");
        assert!(backoff.by_ref().take(10).all(|wait| wait > first && wait <= LONGEST));
        backoff.reset();
        assert_eq!(backoff.next(), Some(first));
    }
}
