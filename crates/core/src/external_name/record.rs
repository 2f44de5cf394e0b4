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
mod tests;
