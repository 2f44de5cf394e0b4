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
    fn writing_ends_before_another_may_begin() {
        let deadline = Duration::from_secs(10);
        assert!(may_write(Duration::from_millis(9_999), deadline));
        assert!(!may_write(Duration::from_secs(10), deadline));
    }
}
