//! Why no write is due now, as the status shows it, and when to look again.

use instancelink_api::condition::Reason;
use jiff::{SignedDuration, Timestamp};

/// Why no write is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wait {
    /// What the link waits for; empty where it waits for nothing.
    pub message: String,
    /// Percentage of the waiting time that remains; none without a waiting time.
    pub progress: Option<i32>,
    /// Why the children are not what this state asks for.
    pub problem: Option<Reason>,
    /// A person has to do something.
    pub stalled: Option<Reason>,
    /// Try again with backoff, because a write was refused.
    pub retry: bool,
    /// The conditions about the children stay as they were: the children were not seen yet.
    pub as_before: bool,
    /// Look again at this time.
    pub wake: Option<Timestamp>,
}

/// Shorter waits are over before a second figure could be read.
const COUNTED: SignedDuration = SignedDuration::from_secs(8);

/// The percentage that remains of a waiting time, in quarters, and when to look again. A status write costs the API server
/// more than the write of seven slices, so a long wait shows four figures and not one each second.
pub(crate) fn countdown(now: Timestamp, until: Timestamp, total: SignedDuration) -> (Option<i32>, Timestamp) {
    let left = until.duration_since(now);
    if total < COUNTED || left.is_negative() {
        return (Some(100), until);
    }
    let quarter = total / 4;
    for quarters in 1..4 {
        if left <= quarter * quarters {
            let next = until.checked_sub(quarter * (quarters - 1)).unwrap_or(until);
            return (Some(25 * quarters), next);
        }
    }
    (Some(100), until.checked_sub(quarter * 3).unwrap_or(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_what_remains_in_quarters() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let total = SignedDuration::from_secs(100);
        assert_eq!(countdown(at(0), at(100), total), (Some(100), at(25)));
        assert_eq!(countdown(at(25), at(100), total), (Some(75), at(50)));
        assert_eq!(countdown(at(60), at(100), total), (Some(50), at(75)));
        assert_eq!(countdown(at(99), at(100), total), (Some(25), at(100)));
        assert_eq!(
            countdown(at(2), at(8), COUNTED),
            (Some(75), at(4)),
            "the shortest that is counted"
        );
        assert_eq!(
            countdown(at(1), at(3), SignedDuration::from_secs(3)),
            (Some(100), at(3)),
            "short: one figure"
        );
    }
}
