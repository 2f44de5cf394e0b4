//! How often discovery is asked again for a kind that may be absent.

use std::time::Duration;

/// How often discovery is asked.
#[derive(Clone, Copy)]
pub(super) struct RetryIntervals {
    /// While the kind is absent. A namespace that consents waits for this long after the CRD was installed: a cluster
    /// without it pays six requests a minute for that.
    pub(super) absent: Duration,
    /// After a watch has ended, and first after a failure; then less and less often.
    pub(super) again: Duration,
    /// How long a refusal has to last before what is known is given up; a quarter of it if nothing is known.
    pub(super) refused: Duration,
}

impl Default for RetryIntervals {
    fn default() -> Self {
        Self {
            absent: Duration::from_secs(10),
            again: Duration::from_secs(1),
            refused: Duration::from_secs(20),
        }
    }
}
