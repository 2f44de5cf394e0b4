//! Delays after failures. The jitter comes from the key: it spreads the retries of many links, and is the same in each run of
//! a test.

use std::hash::Hash;
use std::time::Duration;

use instancelink_cluster::backoff::{LONGEST, up_to};

const LONGEST_AFTER_REFUSAL: Duration = Duration::from_mins(5);
const LONGEST_AFTER_REPAIR: Duration = Duration::from_secs(30);
const FREE_REPAIRS: u32 = 3;

/// The delay after the `times`-th transient failure in a row: 0.5 s to 4 s.
pub(crate) fn after_failure<K: Hash>(key: &K, times: u32) -> Duration {
    up_to(LONGEST, key, times)
}

/// The delay after the `times`-th refusal in a row, if a person has to remove the cause: 0.5 s to 5 min.
pub(crate) fn after_refusal<K: Hash>(key: &K, times: u32) -> Duration {
    up_to(LONGEST_AFTER_REFUSAL, key, times)
}

/// The delay after the `times`-th repair in a row: none after the first three, then 0.5 s to 30 s.
pub(crate) fn after_repair<K: Hash>(key: &K, times: u32) -> Option<Duration> {
    let times = times.checked_sub(FREE_REPAIRS).filter(|times| *times > 0)?;
    Some(up_to(LONGEST_AFTER_REPAIR, key, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roughly(delay: Duration, expected: Duration) {
        assert!(
            delay <= expected && delay >= expected.mul_f64(0.79),
            "{delay:?} for {expected:?}"
        );
    }

    #[test]
    fn failures_wait_up_to_four_seconds() {
        for (times, millis) in [(1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 4000), (4_000_000, 4000)] {
            roughly(after_failure(&"a", times), Duration::from_millis(millis));
        }
    }

    #[test]
    fn the_first_repairs_have_no_delay_and_later_ones_growing_delays() {
        assert_eq!(after_repair(&"a", 3), None);
        for (times, millis) in [(4, 500), (5, 1000), (9, 16_000), (10, 30_000), (4_000_000, 30_000)] {
            roughly(after_repair(&"a", times).unwrap(), Duration::from_millis(millis));
        }
    }

    #[test]
    fn refusals_wait_up_to_five_minutes() {
        for (times, millis) in [(1, 500), (4, 4000), (10, 256_000), (11, 300_000), (40, 300_000)] {
            roughly(after_refusal(&"a", times), Duration::from_millis(millis));
        }
    }

    #[test]
    fn different_links_wait_differently() {
        let delays: std::collections::BTreeSet<_> = (0..50).map(|key| after_failure(&key, 4)).collect();
        assert!(delays.len() > 10);
    }
}
