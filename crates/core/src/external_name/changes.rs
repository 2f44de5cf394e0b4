//! How often what counts of a name may change. The DNS of a name may answer otherwise each time, and each change is a write for
//! each of its links.

use std::time::Duration;

use jiff::Timestamp;

/// In the long run, one change counts in this time.
const PAUSE: Duration = Duration::from_mins(1);
/// So much may be used up before a change waits: five changes count at once after a quiet time, so that a failover does not wait.
const MOST_USED: Duration = Duration::from_mins(4);

/// The changes of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// A minute for each change, less the time that passed.
    used: Duration,
    at: Option<Timestamp>,
}

impl Changes {
    /// A change counts now.
    ///
    /// # Errors
    /// If there were too many. The time is that until the next one may count.
    pub(super) fn make(&mut self, now: Timestamp) -> Result<(), Duration> {
        self.pass_time(now);
        let left = self.used.saturating_sub(MOST_USED);
        if left.is_zero() {
            self.used += PAUSE;
            Ok(())
        } else {
            Err(left)
        }
    }

    /// A change counts now that must not wait. The next ones wait longer.
    pub(super) fn make_in_any_case(&mut self, now: Timestamp) {
        self.pass_time(now);
        self.used += PAUSE;
    }

    fn pass_time(&mut self, now: Timestamp) {
        // A clock that is set back does not make the pause longer.
        let passed = self
            .at
            .replace(now)
            .map(|at| Duration::try_from(now.duration_since(at)));
        self.used = self
            .used
            .saturating_sub(passed.and_then(Result::ok).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn made(times: impl Iterator<Item = i64>) -> usize {
        let mut changes = Changes::default();
        times.filter(|now| changes.make(at(*now)).is_ok()).count()
    }

    /// contract#external-names
    #[test]
    fn five_changes_count_at_once_and_then_one_a_minute() {
        assert_eq!(made(std::iter::repeat_n(0, 100)), 5);
        assert_eq!(made(0..600), 5 + 9);
        assert_eq!(made((0..6000).step_by(60)), 100);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_no_change_for_longer() {
        let mut changes = Changes::default();
        for _ in 0..5 {
            changes.make(at(10_000)).unwrap();
        }
        assert_eq!(changes.make(at(0)), Err(PAUSE));
        assert_eq!(changes.make(at(60)), Ok(()));
    }
}
