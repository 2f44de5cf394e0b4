//! The answer to "may this process write now?".

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::decide::may_write;

/// Whether this process may write. It is cheap to ask before each group of writes.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    /// When the last successful renewal was sent; none while this process does not lead.
    renewed: Arc<Mutex<Option<Instant>>>,
    /// None: there is no election, and this process always leads.
    deadline: Option<Duration>,
}

impl Leadership {
    /// A single operator without an election: it always leads.
    pub(crate) fn always() -> Self {
        Self {
            renewed: Arc::default(),
            deadline: None,
        }
    }

    /// A contender that does not lead yet, and loses the leadership `deadline` after its last renewal.
    pub(super) fn elected(deadline: Duration) -> Self {
        Self {
            renewed: Arc::default(),
            deadline: Some(deadline),
        }
    }

    /// True while writes are allowed.
    pub(crate) fn holds(&self) -> bool {
        let Some(deadline) = self.deadline else { return true };
        self.renewed.lock().is_some_and(|at| may_write(at.elapsed(), deadline))
    }

    /// The lease was taken or renewed by a request that was sent at this time.
    pub(super) fn renewed_at(&self, sent: Instant) {
        *self.renewed.lock() = Some(sent);
    }

    /// This process does not lead any more.
    pub(super) fn end(&self) {
        *self.renewed.lock() = None;
    }

    /// Time until the leadership ends if no renewal succeeds.
    pub(super) fn time_left(&self) -> Duration {
        let renewed = *self.renewed.lock();
        let deadline = self.deadline.unwrap_or(Duration::MAX);
        renewed.map_or(Duration::ZERO, |at| deadline.saturating_sub(at.elapsed()))
    }
}
