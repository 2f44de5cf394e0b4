//! Looks for an order: each operation at one instant within its interval, each allowed by the specification there
//! (Wing and Gong, with what was seen before remembered, as Lowe has it).

use std::collections::{BTreeSet, HashSet};

use super::{Answer, Event, History, Link, What};

/// Whether the history has an order.
pub fn linearizable(history: &History) -> bool {
    let mut events: Vec<&Event> = history.events.iter().collect();
    events.sort_by_key(|event| (event.called, event.returned));
    let mut places = vec![Place {
        first: 0,
        beyond: BTreeSet::new(),
        link: history.from.clone(),
    }];
    let mut seen = HashSet::new();
    // What is still to be tried lies on a stack of its own: histories are longer than a thread's.
    while let Some(place) = places.pop() {
        if place.is_end(&events) {
            return true;
        }
        let next = place.next(&events);
        // Where there is one way only, nobody comes here twice.
        if next.len() < 2 || seen.insert(place) {
            places.extend(next);
        }
    }
    false
}

/// How far an order has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// All before this one are in the order,
    first: usize,
    /// and these after it.
    beyond: BTreeSet<usize>,
    link: Link,
}

impl Place {
    /// Whoever was answered has to be in the order; a request of which nobody heard may never have been one.
    fn is_end(&self, events: &[&Event]) -> bool {
        self.left(events).all(|n| !must_be(events[n]))
    }

    fn left(&self, events: &[&Event]) -> impl Iterator<Item = usize> {
        (self.first..events.len()).filter(|n| !self.beyond.contains(n))
    }

    /// The places that one more operation leads to, the likeliest last.
    fn next(&self, events: &[&Event]) -> Vec<Self> {
        let mut first_return = u64::MAX;
        let mut possible = Vec::new();
        for n in self.left(events) {
            if events[n].called > first_return {
                break;
            }
            if must_be(events[n]) {
                first_return = first_return.min(events[n].returned);
            }
            possible.push(n);
        }
        possible.retain(|n| events[*n].called <= first_return);
        // A reading changes nothing, so the first instant at which it is allowed is as good as any.
        let reads = |n: &&usize| matches!(events[**n].what, What::Read(..));
        let reading = possible.iter().filter(reads).find_map(|n| self.with(*n, events));
        if let Some(place) = reading {
            return vec![place];
        }
        let (answered, unanswered): (Vec<_>, Vec<_>) = possible.into_iter().partition(|n| must_be(events[*n]));
        let in_turn = answered.into_iter().chain(unanswered);
        let mut places: Vec<_> = in_turn.filter_map(|n| self.with(n, events)).collect();
        places.reverse();
        places
    }

    fn with(&self, n: usize, events: &[&Event]) -> Option<Self> {
        let link = self.link.after(&events[n].what)?;
        let mut next = Self { link, ..self.clone() };
        next.beyond.insert(n);
        while next.beyond.remove(&next.first) {
            next.first += 1;
        }
        Some(next)
    }
}

fn must_be(event: &Event) -> bool {
    !matches!(
        event.what,
        What::Request {
            answer: Answer::None,
            ..
        }
    )
}
