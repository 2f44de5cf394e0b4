//! When an alias is looked up again, and after how many lookups a finding counts.

use std::time::Duration;

/// DNS servers keep an answer for 5 s, also "no such name", and with a cache before them for 30 s. So a first lookup that
/// disagrees proves nothing. The sum of these waits is longer than that.
const WAITS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];
/// The wait after a lookup that agreed.
const AFTER_AGREEMENT: Duration = Duration::from_mins(10);
/// The first wait after lookups that disagreed and count. It becomes longer.
const AFTER_DISAGREEMENT: Duration = Duration::from_mins(1);

/// What follows a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextLookup {
    /// When to look up again.
    pub after: Duration,
    /// The finding counts.
    pub believed: bool,
}

/// The next lookup after this many lookups in a row that disagreed. The number is 0 after a lookup that agreed.
pub fn next_lookup(disagreements: usize) -> NextLookup {
    let Some(nth) = disagreements.checked_sub(1) else {
        return NextLookup {
            after: AFTER_AGREEMENT,
            believed: true,
        };
    };
    match WAITS.get(nth) {
        Some(after) => NextLookup {
            after: *after,
            believed: false,
        },
        None => NextLookup {
            after: AFTER_DISAGREEMENT
                .saturating_mul(1 << (nth - WAITS.len()).min(3))
                .min(AFTER_AGREEMENT),
            believed: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_that_agrees_counts_at_once_and_the_next_one_is_much_later() {
        let next = next_lookup(0);
        assert!(next.believed && next.after == AFTER_AGREEMENT);
    }

    #[test]
    fn a_lookup_that_disagrees_counts_when_no_cache_can_be_the_reason() {
        let unconfirmed: Vec<NextLookup> = (1..100).map(next_lookup).take_while(|l| !l.believed).collect();
        let time: Duration = unconfirmed.iter().map(|l| l.after).sum();
        assert!(time > Duration::from_secs(30), "{time:?}");
        let later: Vec<u64> = (4..9).map(|n| next_lookup(n).after.as_secs()).collect();
        assert_eq!(later, [60, 120, 240, 480, 480]);
    }
}
