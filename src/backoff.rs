//! Delays after failures. The jitter comes from the key: it spreads the retries of many links, and is the same in each run of
//! a test.

use std::hash::Hash;
use std::time::Duration;

use instancelink_cluster::backoff::{LONGEST, anywhere, up_to};

const LONGEST_AFTER_REFUSAL: Duration = Duration::from_mins(5);
/// Shorter than the ten seconds within which a link goes on.
const LONGEST_UNSEEN: Duration = Duration::from_secs(8);
const LONGEST_AMONG_MANY: Duration = Duration::from_hours(1);
/// So many links or objects of a namespace may try in that time.
const AT_A_TIME: usize = 16;

/// The delay after the `times`-th transient failure in a row: 0.5 s to 4 s.
pub(crate) fn after_failure<K: Hash>(key: &K, times: u32) -> Duration {
    up_to(LONGEST, key, times)
}

/// The delay after the `times`-th refusal in a row, if a person has to remove the cause: 0.5 s to 5 min.
pub(crate) fn after_refusal<K: Hash>(key: &K, times: u32) -> Duration {
    up_to(LONGEST_AFTER_REFUSAL, key, times)
}

/// The delay after the `times`-th refusal in a row, if no event tells when its cause ends: 0.5 s to 8 s. If more than 16 links of
/// a namespace wait, it is longer, and anywhere in that time: up to some 3600 of them together try twice a second.
pub(crate) fn after_unseen<K: Hash>(key: &K, times: u32, waiting: usize) -> Duration {
    among(waiting, LONGEST_UNSEEN, key, times)
}

/// The delay before a write that others undid for the `times`-th time in a row: 0.5 s to 5 min. If they undo those of more than
/// 16 objects of a namespace, it is longer, up to 65 min, and anywhere in that time: up to about a hundred together are written
/// some three times a minute; with more, each is written twice an hour.
pub(crate) fn after_undone<K: Hash>(key: &K, times: u32, undone: usize) -> Duration {
    among(undone, LONGEST_AFTER_REFUSAL, key, times)
}

fn among<K: Hash>(waiting: usize, longest: Duration, key: &K, times: u32) -> Duration {
    let delay = up_to(longest, key, times);
    let more = u32::try_from(waiting.div_ceil(AT_A_TIME)).unwrap_or(u32::MAX);
    let longest = longest.saturating_mul(more.saturating_sub(1)).saturating_mul(2);
    delay + anywhere(key, times, longest.min(LONGEST_AMONG_MANY))
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
    fn refusals_wait_up_to_five_minutes() {
        for (times, millis) in [(1, 500), (4, 4000), (10, 256_000), (11, 300_000), (40, 300_000)] {
            roughly(after_refusal(&"a", times), Duration::from_millis(millis));
        }
    }

    #[test]
    fn what_ends_unseen_is_tried_again_within_eight_seconds() {
        for (times, millis) in [(1, 500), (4, 4000), (5, 8000), (4_000_000, 8000)] {
            roughly(after_unseen(&"a", times, 16), Duration::from_millis(millis));
        }
    }

    /// lifecycle#disputed-conditions
    #[test]
    fn what_others_undo_is_written_after_65_minutes_at_most() {
        let delays: Vec<Duration> = (0..1024).map(|object| after_undone(&object, 20, 1024)).collect();
        let longest = delays.iter().max().unwrap();
        assert!(*longest <= Duration::from_mins(65), "{longest:?}");
        assert!(*longest > Duration::from_hours(1), "{longest:?}");
        roughly(after_undone(&"a", 20, 16), Duration::from_mins(5));
    }

    #[test]
    fn many_links_of_a_namespace_share_what_one_may_cost() {
        let tries_in_an_hour = |links: usize| -> usize {
            let tries = |link: usize| {
                let mut spent = Duration::ZERO;
                let in_time = (1..).take_while(|times| {
                    spent += after_unseen(&link, *times, links);
                    spent < Duration::from_hours(1)
                });
                in_time.count()
            };
            (0..links).map(tries).sum()
        };
        assert!(tries_in_an_hour(1) < 600);
        // Two each second, and what the growing pauses at the beginning cost.
        assert!(tries_in_an_hour(100) < 2 * 3600 + 100 * 5);
        assert!(tries_in_an_hour(500) < 2 * 3600 + 500 * 5);
    }

    #[test]
    fn different_links_wait_differently() {
        let delays: std::collections::BTreeSet<_> = (0..50).map(|key| after_failure(&key, 4)).collect();
        assert!(delays.len() > 10);
    }
}
