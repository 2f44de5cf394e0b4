//! The progress of a long step: the part of its work that is done, and an estimate of the time that is left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Before this, the first seconds say too little about the rest.
const EARLY: Duration = Duration::from_secs(15);

/// Shared between the work and the line that shows it.
#[derive(Clone)]
pub(crate) struct Gauge(Arc<Inner>);

struct Inner {
    started: Instant,
    expected: Option<Duration>,
    count: Mutex<Count>,
}

#[derive(Clone, Default)]
struct Count {
    done: usize,
    of: usize,
    unit: &'static str,
    note: Option<Note>,
}

type Note = Arc<dyn Fn() -> String + Send + Sync>;

impl Default for Gauge {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Gauge {
    /// For a step that is expected to take so long.
    pub(super) fn new(expected: Option<Duration>) -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            expected,
            count: Mutex::default(),
        }))
    }

    /// `done` of `of` units are done.
    pub(crate) fn set(&self, done: usize, of: usize, unit: &'static str) {
        let mut count = self.count();
        (count.done, count.of, count.unit) = (done, of, unit);
    }

    /// What else is shown, such as "3 of 8 programs"; asked for each time.
    pub(crate) fn note(&self, text: impl Fn() -> String + Send + Sync + 'static) {
        self.count().note = Some(Arc::new(text));
    }

    /// "1204 of 3003 packages, 3 of 8 programs, about 4 min left"; nothing before the work has counted anything.
    pub(super) fn position(&self) -> Option<String> {
        let count = self.count().clone();
        position(&count, self.0.started.elapsed())
    }

    /// " (about 7 min)", for a step that takes minutes.
    pub(super) fn expected(&self) -> Option<String> {
        Some(format!(" ({})", about(self.0.expected?)))
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn position(count: &Count, elapsed: Duration) -> Option<String> {
    if count.of == 0 {
        return None;
    }
    let mut parts = vec![format!("{} of {} {}", count.done, count.of, count.unit)];
    parts.extend(count.note.as_ref().map(|note| note()));
    if let Some(left) = left(count, elapsed) {
        parts.push(format!("{} left", about(left)));
    }
    Some(parts.join(", "))
}

fn left(count: &Count, elapsed: Duration) -> Option<Duration> {
    let (done, rest) = (u32::try_from(count.done).ok()?, count.of.checked_sub(count.done)?);
    if elapsed < EARLY || done == 0 || rest == 0 {
        return None;
    }
    elapsed.checked_mul(u32::try_from(rest).ok()?)?.checked_div(done)
}

/// In minutes, or below two minutes in seconds; more digits would promise too much.
fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..110 => format!("about {} s", (seconds / 10 + 1) * 10),
        seconds => format!("about {} min", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(done: usize, of: usize) -> Count {
        Count {
            done,
            of,
            unit: "packages",
            note: None,
        }
    }

    #[test]
    fn the_time_left_follows_from_what_is_done_and_how_long_that_took() {
        let after = |seconds, done| position(&count(done, 3000), Duration::from_secs(seconds)).unwrap();
        assert_eq!(after(60, 600), "600 of 3000 packages, about 4 min left");
        assert_eq!(after(90, 2500), "2500 of 3000 packages, about 20 s left");
    }

    #[test]
    fn no_time_is_promised_in_the_first_seconds_nor_when_all_is_counted() {
        let after = |seconds, done| position(&count(done, 3000), Duration::from_secs(seconds)).unwrap();
        assert_eq!(after(5, 600), "600 of 3000 packages");
        assert_eq!(after(60, 0), "0 of 3000 packages");
        assert_eq!(after(300, 3000), "3000 of 3000 packages");
        assert_eq!(after(300, 3010), "3010 of 3000 packages");
    }

    #[test]
    fn a_step_that_has_counted_nothing_shows_how_long_it_takes_as_a_whole() {
        let gauge = Gauge::new(Some(Duration::from_mins(7)));
        assert_eq!(gauge.position(), None);
        assert_eq!(gauge.expected().as_deref(), Some(" (about 7 min)"));
        gauge.set(12, 245, "crates");
        gauge.note(|| "3 of 8 programs".to_owned());
        assert_eq!(gauge.position().as_deref(), Some("12 of 245 crates, 3 of 8 programs"));
    }
}
