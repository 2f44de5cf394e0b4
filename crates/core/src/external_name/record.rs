//! The answers of the DNS for one name: how long each counts, and when to ask again.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{ExternalName, Failing};
use crate::verify::Answer;

/// The time to live of an answer is in these limits.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// How long the last answer counts while the DNS does not answer.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// The waits after the first failures; the last one is repeated.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];
/// So many failures in a row are shown. One lost packet is none.
const SHOWN: usize = 3;

/// What the DNS answered for a name.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The last answer; none before the first.
    answer: Option<Arc<BTreeSet<IpAddr>>>,
    failures: usize,
    failing: Option<Failing>,
}

impl Record {
    /// A record of a name whose addresses were programmed before this operator asked: they count as the last answer.
    pub fn of_programmed(addresses: BTreeSet<IpAddr>) -> Self {
        Self {
            answer: (!addresses.is_empty()).then(|| Arc::new(addresses)),
            ..Self::default()
        }
    }

    /// Takes an answer and its time to live. Returns when to ask again.
    pub fn take(&mut self, answer: Answer, ttl: Duration, now: Timestamp) -> Duration {
        let addresses = match answer {
            Answer::Addresses(addresses) => addresses,
            Answer::NoSuchName => BTreeSet::new(),
            Answer::NoAnswer(why) => return self.fail(why, now),
        };
        *self = Self {
            answer: Some(Arc::new(addresses)),
            failures: 0,
            failing: None,
        };
        ttl.clamp(SHORTEST, LONGEST)
    }

    fn fail(&mut self, why: &'static str, now: Timestamp) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let since = self.failing.map_or(now, |failing| failing.since);
        self.failing = Some(Failing { since, why });
        let wait = WAITS
            .get(self.failures - 1)
            .or(WAITS.last())
            .copied()
            .unwrap_or(SHORTEST);
        // The end of the last answer is no later than the next lookup.
        let left = KEPT - now.duration_since(since);
        match Duration::try_from(left) {
            Ok(left) if !left.is_zero() => wait.min(left),
            _ => wait,
        }
    }

    /// What counts now.
    pub fn known(&self, now: Timestamp) -> ExternalName {
        let shown = self.failing.filter(|_| self.failures >= SHOWN);
        let has_ended = |failing: &Failing| now.duration_since(failing.since) >= KEPT;
        let addresses = self
            .answer
            .clone()
            .filter(|_| !self.failing.as_ref().is_some_and(has_ended));
        match (addresses, shown) {
            (None, None) => ExternalName::Pending,
            (addresses, failing) => ExternalName::Known {
                addresses: addresses.unwrap_or_default(),
                failing,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn answer(address: &str) -> Answer {
        Answer::Addresses([address.parse().unwrap()].into())
    }

    fn failure() -> Answer {
        Answer::NoAnswer("did not answer in time")
    }

    /// The number of addresses that count, and since when the DNS is shown as failing.
    fn known(record: &Record, now: i64) -> Option<(usize, Option<i64>)> {
        match record.known(at(now)) {
            ExternalName::Known { addresses, failing } => {
                Some((addresses.len(), failing.map(|failing| failing.since.as_second())))
            }
            ExternalName::Pending | ExternalName::TooMany => None,
        }
    }

    /// contract#external-names
    #[test]
    fn the_time_to_live_of_an_answer_is_in_limits() {
        let wait = |ttl| {
            Record::default()
                .take(answer("192.0.2.1"), Duration::from_secs(ttl), at(0))
                .as_secs()
        };
        assert_eq!([0, 4, 60, 300, 86_400].map(wait), [5, 5, 60, 300, 300]);
    }

    /// contract#external-names
    #[test]
    fn the_last_answer_counts_for_ten_minutes_while_the_dns_fails_and_that_is_shown() {
        let mut record = Record::default();
        assert_eq!(known(&record, 0), None);
        record.take(answer("192.0.2.1"), SHORTEST, at(0));
        let mut now = 100;
        let mut waits = Vec::new();
        while now < 700 {
            let wait = record.take(failure(), Duration::ZERO, at(now)).as_secs();
            waits.push(wait);
            let shown = (waits.len() >= SHOWN).then_some(100);
            assert_eq!(known(&record, now), Some((1, shown)), "at {now}");
            now += i64::try_from(wait).unwrap();
        }
        assert_eq!(waits[..6], [1, 2, 5, 10, 30, 30]);
        assert_eq!(now, 700, "the last answer ends at its time");
        record.take(failure(), Duration::ZERO, at(now));
        assert_eq!(known(&record, now), Some((0, Some(100))));
        record.take(answer("192.0.2.2"), SHORTEST, at(800));
        assert_eq!(known(&record, 800), Some((1, None)));
    }

    /// contract#external-names
    #[test]
    fn a_name_that_was_never_answered_is_awaited_until_the_failure_is_no_lost_packet() {
        let mut record = Record::default();
        for (failures, expected) in [(1, None), (2, None), (3, Some((0, Some(0))))] {
            record.take(failure(), Duration::ZERO, at(0));
            assert_eq!(known(&record, failures), expected);
        }
    }

    /// contract#external-names
    #[test]
    fn a_name_that_does_not_exist_has_no_address_at_once() {
        let mut record = Record::default();
        record.take(answer("192.0.2.1"), SHORTEST, at(0));
        record.take(Answer::NoSuchName, SHORTEST, at(5));
        assert_eq!(known(&record, 5), Some((0, None)));
    }

    /// contract#external-names
    #[test]
    fn what_a_former_operator_programmed_counts_as_the_last_answer() {
        let mut record = Record::of_programmed(["192.0.2.1".parse().unwrap()].into());
        assert_eq!(known(&record, 0), Some((1, None)));
        record.take(failure(), Duration::ZERO, at(0));
        assert_eq!(known(&record, 599), Some((1, None)));
        assert_eq!(known(&record, 600), None);
        assert_eq!(known(&Record::of_programmed(BTreeSet::new()), 0), None);
    }
}
