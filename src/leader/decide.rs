//! What to do about the lease: pure, so that every case can be read in a table.
//!
//! Whether a lease has run out is judged by our own clock alone: it has, if it did not change before our eyes for as
//! long as it says. What time its holder wrote into it does not matter, so clocks may differ.

use std::time::Duration;

/// The lease as read, and for how long it has not changed before our eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Who holds it; empty where it was released.
    pub(super) holder: String,
    /// How long it says it lasts.
    pub(super) duration: Duration,
    /// Time since it last changed, by our own clock.
    pub(super) unchanged: Duration,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is no lease: create it.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It is nobody's, or has run out: take it over.
    TakeOver,
    /// It is somebody else's.
    Wait,
}

/// The lease as it was before our own lists began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Before {
    /// It was held, or could not be read.
    #[default]
    Held,
    /// There was none.
    Absent,
    /// Nobody held it in this version.
    Free(String),
}

/// True where nobody can have led since `before` when the lease was written anew, or from the version `taken`: then our
/// lists show all that other operators wrote.
pub(super) fn nobody_led_since(before: &Before, taken: Option<&str>) -> bool {
    match before {
        Before::Held => false,
        Before::Absent => taken.is_none(),
        Before::Free(version) => taken == Some(version),
    }
}

/// What `me` does about the lease.
pub(super) fn decide(me: &str, seen: Option<&Seen>) -> Decision {
    match seen {
        None => Decision::Create,
        Some(seen) if seen.holder == me => Decision::Renew,
        Some(seen) if seen.holder.is_empty() || seen.unchanged >= seen.duration => Decision::TakeOver,
        Some(_) => Decision::Wait,
    }
}

/// True while writes are allowed: the last renewal that succeeded was *sent* less than the renewal deadline ago.
pub(super) const fn may_write(since_renewal_was_sent: Duration, deadline: Duration) -> bool {
    since_renewal_was_sent.as_millis() < deadline.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(holder: &str, unchanged: u64) -> Seen {
        Seen {
            holder: holder.to_owned(),
            duration: Duration::from_secs(15),
            unchanged: Duration::from_secs(unchanged),
        }
    }

    #[test]
    fn every_case_has_one_answer() {
        let table = [
            (None, Decision::Create),
            (Some(seen("me", 0)), Decision::Renew),
            (Some(seen("me", 99)), Decision::Renew),
            (Some(seen("", 0)), Decision::TakeOver),
            (Some(seen("other", 0)), Decision::Wait),
            (Some(seen("other", 14)), Decision::Wait),
            (Some(seen("other", 15)), Decision::TakeOver),
        ];
        for (seen, expected) in table {
            assert_eq!(decide("me", seen.as_ref()), expected, "{seen:?}");
        }
    }

    #[test]
    fn only_a_lease_that_was_free_before_and_is_unchanged_shows_that_nobody_led() {
        let free = Before::Free("7".to_owned());
        let table = [
            (Before::Held, None, false),
            (Before::Held, Some("7"), false),
            (Before::Absent, None, true),
            (Before::Absent, Some("7"), false),
            (free.clone(), Some("7"), true),
            (free.clone(), Some("8"), false),
            (free, None, false),
        ];
        for (before, taken, nobody) in table {
            assert_eq!(nobody_led_since(&before, taken), nobody, "{before:?} {taken:?}");
        }
    }

    #[test]
    fn writing_ends_before_another_may_begin() {
        let deadline = Duration::from_secs(10);
        assert!(may_write(Duration::from_millis(9_999), deadline));
        assert!(!may_write(Duration::from_secs(10), deadline));
    }
}
