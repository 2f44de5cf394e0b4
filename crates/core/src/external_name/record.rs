//! The answers of the DNS for one name: how long each counts, and when to ask again.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::changes::Changes;
use super::{ExternalName, Failing};
use crate::verify::Answer;

/// The time to live of an answer is in these limits.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// How long the last answer counts while the DNS does not answer.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// The waits after the first failures, in seconds; the last one is repeated.
const WAITS: [u64; 5] = [1, 2, 5, 10, 30];
/// So many failures in a row are shown. One lost packet is none.
const SHOWN: usize = 3;

/// What the DNS answered for a name.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The last answer; none before the first.
    answer: Option<Arc<BTreeSet<IpAddr>>>,
    failures: usize,
    failing: Option<Failing>,
    is_shown: bool,
    changes: Changes,
}

impl Record {
    /// Takes an answer and its time to live. Returns when to ask again. An answer that changes too much too soon does not count
    /// yet: the next one does.
    pub fn take(&mut self, answer: Answer, ttl: Duration, now: Timestamp) -> Duration {
        let addresses = match answer {
            Answer::Addresses(addresses) => addresses,
            Answer::NoSuchName => BTreeSet::new(),
            Answer::NoAnswer(why) => return self.fail(why, now),
        };
        self.failures = 0;
        self.failing = None;
        let was_shown = std::mem::take(&mut self.is_shown);
        let ttl = ttl.clamp(SHORTEST, LONGEST);
        let former = self.answer.as_ref().filter(|former| !former.is_empty());
        // Without addresses the alias leads nowhere, so the first ones never wait.
        let ends_without = self.answer.is_some() && former.is_none() && !addresses.is_empty();
        if ends_without || was_shown {
            self.changes.make_in_any_case(now);
        } else if former.is_some_and(|former| **former != addresses)
            && let Err(left) = self.changes.make(now)
        {
            return ttl.min(left).max(SHORTEST);
        }
        if self.answer.as_deref() != Some(&addresses) {
            self.answer = Some(Arc::new(addresses));
        }
        ttl
    }

    fn fail(&mut self, why: &'static str, now: Timestamp) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= SHOWN && !self.is_shown {
            self.is_shown = self.changes.make(now).is_ok();
        }
        // The first reason stays: a DNS that fails now in one way and now in another would change the message each time.
        let Failing { since, .. } = *self.failing.get_or_insert(Failing { since: now, why });
        let wait = WAITS.get(self.failures - 1).or(WAITS.last());
        let wait = wait.map_or(SHORTEST, |seconds| Duration::from_secs(*seconds));
        // The end of the last answer is no later than the next lookup.
        let left = KEPT - now.duration_since(since);
        match Duration::try_from(left) {
            Ok(left) if !left.is_zero() => wait.min(left),
            _ => wait,
        }
    }

    /// True after the first answer. From then on, what a link had before does not count.
    pub fn has_answer(&self) -> bool {
        self.answer.is_some()
    }

    /// What counts now for one link. Before the first answer, the addresses that a former operator programmed for this link are the
    /// last answer, for this link alone.
    pub fn known(&self, programmed: Option<&Arc<BTreeSet<IpAddr>>>, now: Timestamp) -> ExternalName {
        let shown = self.failing.filter(|_| self.is_shown);
        let has_ended = |failing: &Failing| now.duration_since(failing.since) >= KEPT;
        let addresses = self
            .answer
            .as_ref()
            .or(programmed.filter(|addresses| !addresses.is_empty()))
            .cloned()
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
