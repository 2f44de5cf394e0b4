//! How often discovery is asked again for a kind that may be absent.

use std::time::Duration;

/// How often discovery is asked.
#[derive(Clone, Copy)]
pub(super) struct RetryIntervals {
    /// While the kind is absent. After the CRD is installed, a consent takes effect within this time. In a cluster
    /// without the CRD, this costs six requests a minute. For kinds that links name, it is the shortest of growing pauses.
    pub(super) absent: Duration,
    /// After a watch has ended, and after the first failure. The pauses after further failures are longer.
    pub(super) again: Duration,
    /// How long a refusal must last before the known objects are dropped. If none are known, a quarter of this time.
    pub(super) refused: Duration,
    /// The longest pause between two requests for kinds that stay absent.
    pub(super) longest: Duration,
}

impl Default for RetryIntervals {
    fn default() -> Self {
        Self {
            absent: Duration::from_secs(10),
            again: Duration::from_secs(1),
            refused: Duration::from_secs(20),
            longest: Duration::from_mins(5),
        }
    }
}
