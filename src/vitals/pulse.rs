//! Whether the threads of the passes still run. The probes are answered by another thread, which would answer for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Time between two beats.
const BEAT: Duration = Duration::from_secs(5);
/// Without a beat for this time, the threads of the passes are stuck. Each piece of work there is bounded to less than a
/// second.
const STUCK: Duration = Duration::from_secs(30);

/// The time of the last beat.
#[derive(Clone, Debug)]
pub(crate) struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    /// A pulse that has just beaten.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Beats until it is dropped. To be spawned among the passes.
    pub(crate) async fn beat(self) {
        loop {
            *self.0.lock() = Instant::now();
            tokio::time::sleep(BEAT).await;
        }
    }

    /// How long the threads of the passes have been stuck; none if they run.
    pub(crate) fn stuck_for(&self) -> Option<Duration> {
        self.stuck_at(Instant::now())
    }

    fn stuck_at(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(*self.0.lock())).filter(|silence| *silence >= STUCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_for_half_a_minute_means_stuck() {
        let pulse = Pulse::new();
        let now = Instant::now();
        assert_eq!(pulse.stuck_for(), None);
        assert_eq!(pulse.stuck_at(now + STUCK / 2), None);
        assert!(pulse.stuck_at(now + STUCK * 2).is_some());
    }
}
