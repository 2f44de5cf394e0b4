//! Decides whether to take, renew or leave the lease. It is a pure function, so that one table of tests shows every
//! case.
//!
//! Only the local clock decides whether a lease has expired: it has, if it did not change for as long as it says while this
//! process watched it. The time that its holder wrote into it is ignored, so clocks may differ.

use std::time::Duration;

/// The lease as last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObservedLease {
    /// Who holds it; empty if it was released.
    pub(super) holder: String,
    /// How long it says it lasts.
    pub(super) duration: Duration,
    /// Time since it last changed, by the local clock.
    pub(super) unchanged: Duration,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is no lease: create it.
    Create,
    /// This process holds it: renew it.
    Renew,
    /// It is free or has expired: take it over.
    TakeOver,
    /// Another process holds it.
    Wait,
}

/// The lease as it was before this process listed anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum InitialLease {
    /// It was held, or could not be read.
    #[default]
    Held,
    /// It did not exist.
    Absent,
    /// It was free, with this resourceVersion.
    Free(String),
}

/// True if no operator can have led between `initial` and the write that took the lease, which created it or replaced
/// the version `taken`. Then the lists of this process contain everything that other operators wrote.
pub(super) fn no_leader_since(initial: &InitialLease, taken: Option<&str>) -> bool {
    match initial {
        InitialLease::Held => false,
        InitialLease::Absent => taken.is_none(),
        InitialLease::Free(version) => taken == Some(version),
    }
}

/// What the contender `identity` does about the lease.
pub(super) fn decide(identity: &str, lease: Option<&ObservedLease>) -> Decision {
    match lease {
        None => Decision::Create,
        Some(lease) if lease.holder == identity => Decision::Renew,
        Some(lease) if lease.holder.is_empty() || lease.unchanged >= lease.duration => Decision::TakeOver,
        Some(_) => Decision::Wait,
    }
}

/// True while writes are allowed: the last successful renewal was *sent* less than the renew deadline ago.
pub(super) const fn may_write(since_renewal_was_sent: Duration, deadline: Duration) -> bool {
    since_renewal_was_sent.as_millis() < deadline.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str, unchanged: u64) -> ObservedLease {
        ObservedLease {
            holder: holder.to_owned(),
            duration: Duration::from_secs(15),
            unchanged: Duration::from_secs(unchanged),
        }
    }

    #[test]
    fn a_contender_has_one_answer_to_each_lease() {
        let table = [
            (None, Decision::Create),
            (Some(lease("me", 0)), Decision::Renew),
            (Some(lease("me", 99)), Decision::Renew),
            (Some(lease("", 0)), Decision::TakeOver),
            (Some(lease("other", 0)), Decision::Wait),
            (Some(lease("other", 14)), Decision::Wait),
            (Some(lease("other", 15)), Decision::TakeOver),
        ];
        for (lease, expected) in table {
            assert_eq!(decide("me", lease.as_ref()), expected, "{lease:?}");
        }
    }

    #[test]
    fn only_a_lease_that_was_free_and_did_not_change_proves_that_no_operator_led() {
        let free = InitialLease::Free("7".to_owned());
        let table = [
            (InitialLease::Held, None, false),
            (InitialLease::Held, Some("7"), false),
            (InitialLease::Absent, None, true),
            (InitialLease::Absent, Some("7"), false),
            (free.clone(), Some("7"), true),
            (free.clone(), Some("8"), false),
            (free, None, false),
        ];
        for (initial, taken, expected) in table {
            assert_eq!(no_leader_since(&initial, taken), expected, "{initial:?} {taken:?}");
        }
    }

    #[test]
    fn writes_stop_before_another_operator_may_begin() {
        let deadline = Duration::from_secs(10);
        assert!(may_write(Duration::from_millis(9_999), deadline));
        assert!(!may_write(Duration::from_secs(10), deadline));
    }
}
