//! When a name is looked up again, and from which look on the DNS is believed to be wrong.

use std::time::Duration;

/// Servers keep an answer, "no such name" too, for 5 s, or for 30 s with a cache before them: a first look that disagrees
/// proves nothing. The waits add up to more than that.
const WAITS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];
/// What was said once is not said again for a while.
const RARELY: Duration = Duration::from_mins(10);
/// A disagreement may mend itself, or somebody mends it.
const OFTEN: Duration = Duration::from_mins(1);

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// When to look again.
    pub after: Duration,
    /// The verdict is to be believed.
    pub believed: bool,
}

/// After a look that agreed, or that was one of so many that did not, in a row.
pub fn look_again(disagreements: usize) -> Look {
    let Some(nth) = disagreements.checked_sub(1) else {
        return Look {
            after: RARELY,
            believed: true,
        };
    };
    match WAITS.get(nth) {
        Some(after) => Look {
            after: *after,
            believed: false,
        },
        None => Look {
            after: OFTEN.saturating_mul(1 << (nth - WAITS.len()).min(3)).min(RARELY),
            believed: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agrees_is_believed_at_once_and_looked_at_again_rarely() {
        let look = look_again(0);
        assert!(look.believed && look.after == RARELY);
    }

    #[test]
    fn what_disagrees_is_believed_when_no_cache_can_be_to_blame() {
        let doubted: Vec<Look> = (1..100).map(look_again).take_while(|l| !l.believed).collect();
        let time: Duration = doubted.iter().map(|l| l.after).sum();
        assert!(time > Duration::from_secs(30), "{time:?}");
        let later: Vec<u64> = (4..9).map(|n| look_again(n).after.as_secs()).collect();
        assert_eq!(later, [60, 120, 240, 480, 480]);
    }
}
