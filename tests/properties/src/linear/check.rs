//! Searches for an order: each event at one instant within its interval, each allowed by the specification at that
//! instant (the algorithm of Wing and Gong, with Lowe's memory of visited states).

use std::collections::{BTreeSet, HashSet};

use super::{Answer, Event, EventKind, History, Link};

/// True if the history has an order.
pub fn linearizable(history: &History) -> bool {
    let mut events: Vec<&Event> = history.events.iter().collect();
    events.sort_by_key(|event| (event.called, event.returned));
    let mut stack = vec![PartialOrder {
        first: 0,
        beyond: BTreeSet::new(),
        link: history.from.clone(),
    }];
    let mut seen = HashSet::new();
    // An explicit stack: histories are longer than a thread's stack allows.
    while let Some(partial) = stack.pop() {
        if partial.is_complete(&events) {
            return true;
        }
        let next = partial.next(&events);
        // With a single successor there is nothing to save by remembering the state.
        if next.len() < 2 || seen.insert(partial) {
            stack.extend(next);
        }
    }
    false
}

/// The start of an order, and the link after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PartialOrder {
    /// All events before this index are in it.
    first: usize,
    /// These later events are in it too.
    beyond: BTreeSet<usize>,
    link: Link,
}

impl PartialOrder {
    /// True if every event that must be in the order is in it. A request without an answer need not be.
    fn is_complete(&self, events: &[&Event]) -> bool {
        self.remaining(events).all(|n| !is_required(events[n]))
    }

    fn remaining(&self, events: &[&Event]) -> impl Iterator<Item = usize> {
        (self.first..events.len()).filter(|n| !self.beyond.contains(n))
    }

    /// The orders with one more event, the most likely last.
    fn next(&self, events: &[&Event]) -> Vec<Self> {
        let mut first_return = u64::MAX;
        let mut possible = Vec::new();
        for n in self.remaining(events) {
            if events[n].called > first_return {
                break;
            }
            if is_required(events[n]) {
                first_return = first_return.min(events[n].returned);
            }
            possible.push(n);
        }
        possible.retain(|n| events[*n].called <= first_return);
        // A read changes nothing, so the first instant at which it is allowed is as good as any other.
        let reads = |n: &&usize| matches!(events[**n].kind, EventKind::Read(..));
        let reading = possible.iter().filter(reads).find_map(|n| self.with(*n, events));
        if let Some(partial) = reading {
            return vec![partial];
        }
        let (answered, unanswered): (Vec<_>, Vec<_>) = possible.into_iter().partition(|n| is_required(events[*n]));
        let in_turn = answered.into_iter().chain(unanswered);
        let mut next: Vec<_> = in_turn.filter_map(|n| self.with(n, events)).collect();
        next.reverse();
        next
    }

    fn with(&self, n: usize, events: &[&Event]) -> Option<Self> {
        let link = self.link.after(&events[n].kind)?;
        let mut next = Self { link, ..self.clone() };
        next.beyond.insert(n);
        while next.beyond.remove(&next.first) {
            next.first += 1;
        }
        Some(next)
    }
}

fn is_required(event: &Event) -> bool {
    !matches!(
        event.kind,
        EventKind::Request {
            answer: Answer::None,
            ..
        }
    )
}
