//! Writes that others undo: the same content is due for the same object again soon after it was written. A policy changed the
//! write itself, or a client changed the object back. Plain data with the time as an argument.

use std::collections::HashMap;
use std::time::Duration;

use instancelink_cluster::ObjectName;
use tokio::time::Instant;

/// Longer than the longest delay after a refusal, so that a write after that delay still counts as repeated.
const COUNTS_FOR: Duration = Duration::from_mins(10);

/// The last write of each object that was written recently.
#[derive(Debug, Default)]
pub(crate) struct UndoneWrites {
    last: HashMap<ObjectName, (String, Instant)>,
    pruned: Option<Instant>,
}

impl UndoneWrites {
    /// Remembers a write. True if it repeats the last one of this object.
    pub(crate) fn repeats(&mut self, object: &ObjectName, content: String, now: Instant) -> bool {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < COUNTS_FOR;
        if self.pruned.is_none_or(|at| !is_recent(at)) {
            self.pruned = Some(now);
            self.last.retain(|_, (_, at)| is_recent(*at));
        }
        let last = self.last.get(object);
        let repeats = last.is_some_and(|(last, at)| *last == content && is_recent(*at));
        self.last.insert(object.clone(), (content, now));
        repeats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(writes: &[(&str, &str, u64)]) -> Vec<bool> {
        let (mut undone, start) = (UndoneWrites::default(), Instant::now());
        let of = |(object, content, minute): &(&str, &str, u64)| {
            let now = start + Duration::from_mins(*minute);
            undone.repeats(&ObjectName::new("shop", object), (*content).to_owned(), now)
        };
        writes.iter().map(of).collect()
    }

    #[test]
    fn the_same_content_for_the_same_object_within_ten_minutes_is_a_repetition() {
        assert_eq!(
            repeats(&[("a", "1", 0), ("a", "1", 9), ("a", "1", 18)]),
            [false, true, true]
        );
        assert_eq!(repeats(&[("a", "1", 0), ("b", "1", 0), ("a", "1", 10)]), [false; 3]);
    }

    #[test]
    fn another_content_in_between_is_a_change_that_was_asked_for() {
        assert_eq!(repeats(&[("a", "1", 0), ("a", "2", 0), ("a", "1", 0)]), [false; 3]);
    }
}
