//! Looks for an order: each operation at one instant within its interval, each allowed by the specification there
//! (Wing and Gong, with what was seen before remembered, as Lowe has it).

use std::collections::HashSet;

use instancelink_api::{Desired, State, Verb, Verdict};
use instancelink_core::lifecycle::is_edge;

use super::{Event, What};
use crate::model::judged;

/// The link as the sequential specification has it: what a request is judged by, and what readers see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Link {
    state: State,
    /// Of the last request: its number, and what the last accepted one asked for.
    seq: u64,
    desired: Option<Desired>,
    /// The same as acknowledged in `lastAction`.
    shown: (u64, Option<Desired>),
    /// Ids that were taken.
    handled: Vec<(Verb, u8)>,
}

/// Whether the history has an order.
pub fn linearizable(history: &[Event]) -> bool {
    let link = Link {
        state: State::Requested,
        seq: 0,
        desired: None,
        shown: (0, None),
        handled: Vec::new(),
    };
    let mut seen = HashSet::new();
    search(history, &vec![false; history.len()], &link, &mut seen)
}

fn search(history: &[Event], done: &[bool], link: &Link, seen: &mut HashSet<(Vec<bool>, Link)>) -> bool {
    // Whoever was answered has to be in the order; a request of which nobody heard may never have been one.
    let is_open = |n: usize| !done[n] && !matches!(history[n].what, What::Request { answer: None, .. });
    let Some(first_return) = (0..history.len())
        .filter(|n| is_open(*n))
        .map(|n| history[n].returned)
        .min()
    else {
        return true;
    };
    if !seen.insert((done.to_vec(), link.clone())) {
        return false;
    }
    let take = |n: usize, next: &Link, seen: &mut HashSet<_>| {
        let mut done = done.to_vec();
        done[n] = true;
        search(history, &done, next, seen)
    };
    let possible = || (0..history.len()).filter(|n| !done[*n] && history[*n].called <= first_return);
    // A reading changes nothing, so the first instant at which it is allowed is as good as any.
    let reading =
        possible().find(|n| matches!(history[*n].what, What::Read(..)) && after(link, &history[*n].what).is_some());
    if let Some(n) = reading {
        return take(n, link, seen);
    }
    let (answered, unanswered): (Vec<_>, Vec<_>) = possible().partition(|n| is_open(*n));
    answered
        .into_iter()
        .chain(unanswered)
        .any(|n| after(link, &history[n].what).is_some_and(|next| take(n, &next, seen)))
}

/// The link after an operation; none where the specification does not allow it there.
fn after(link: &Link, what: &What) -> Option<Link> {
    match what {
        What::Request { verb, id, answer } => {
            let verdict = judged(link.state, link.desired, *verb);
            let fresh = !link.handled.contains(&(*verb, *id));
            let agrees = answer.is_none_or(|(seq, said)| seq == link.seq + 1 && said == verdict);
            // M2: none is taken before the one before it was shown.
            (fresh && agrees && link.shown.0 == link.seq).then(|| {
                let mut next = link.clone();
                next.seq += 1;
                next.handled.push((*verb, *id));
                if verdict == Verdict::Accepted {
                    next.desired = Some(verb.desired());
                }
                next
            })
        }
        What::Entered(state) => {
            // A write of the status shows what was taken before it.
            let shown = (link.seq, link.desired);
            (*state == link.state || is_edge(link.state, *state)).then(|| Link {
                state: *state,
                shown,
                ..link.clone()
            })
        }
        What::Read(state, seq, desired) => {
            (link.state == *state && link.shown == (*seq, *desired)).then(|| link.clone())
        }
    }
}
