//! When discovery is asked for kinds that links name and that are missing.
//!
//! One request is for all of them. The pauses grow with the time in which nothing is new, so that kinds that never appear
//! cost some requests an hour. A kind that links begin to name is asked for soon. Links that name another kind each second
//! do not make the pauses short.

use std::collections::BTreeSet;

use instancelink_core::snapshot::ApiKind;
use tokio::time::{Duration, Instant};

use super::retry_intervals::RetryIntervals;

/// A pause is this part of the time since something was new: a user who installs a kind waits for a fourth of the time that
/// its link has waited already.
const PART: u32 = 4;

/// The times of the requests.
pub(super) struct Schedule {
    intervals: RetryIntervals,
    /// The last request.
    asked: Option<Instant>,
    /// The kinds that were missing in the last answer, and are since then.
    missing: BTreeSet<ApiKind>,
    /// When a kind was missing for the first time, or the API server served something else than before.
    news: Instant,
    /// From the last request to one for kinds that were not missing in its answer.
    early: Duration,
    /// From the last request to the next one, if it failed.
    failed: Option<Duration>,
}

impl Schedule {
    /// Nothing was asked yet.
    pub(super) fn new(intervals: RetryIntervals) -> Self {
        Self {
            asked: None,
            missing: BTreeSet::new(),
            news: Instant::now(),
            early: intervals.again,
            failed: None,
            intervals,
        }
    }

    /// How long to wait before discovery is asked for these kinds.
    pub(super) fn wait(&mut self, missing: &BTreeSet<ApiKind>) -> Duration {
        self.missing.retain(|kind| missing.contains(kind));
        let Some(asked) = self.asked else {
            return Duration::ZERO;
        };
        let pause = match self.failed {
            Some(pause) => pause,
            None if !missing.is_subset(&self.missing) => self.early,
            None => {
                (asked.saturating_duration_since(self.news) / PART).clamp(self.intervals.absent, self.intervals.longest)
            }
        };
        pause.saturating_sub(asked.elapsed())
    }

    /// Discovery answered, and these kinds are missing. `changed`: the API server serves something else than before.
    pub(super) fn answered(&mut self, missing: &BTreeSet<ApiKind>, changed: bool) {
        let now = Instant::now();
        if changed || !missing.is_subset(&self.missing) {
            self.news = now;
        }
        let is_soon = self.asked.is_some_and(|asked| now - asked <= self.early * 2);
        self.early = if is_soon {
            (self.early * 2).min(self.intervals.absent)
        } else {
            self.intervals.again
        };
        self.missing.clone_from(missing);
        self.asked = Some(now);
        self.failed = None;
    }

    /// Discovery did not answer.
    pub(super) fn failed(&mut self) {
        let pause = self.failed.map_or(self.intervals.again, |pause| pause * 2);
        self.failed = Some(pause.min(self.intervals.absent));
        self.asked = Some(Instant::now());
    }
}
