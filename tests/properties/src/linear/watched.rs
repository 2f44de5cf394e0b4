//! Builds histories from the versions of a link, as they were written or as a watcher saw them: a request starts when
//! its annotation is written, and returns when `lastAction` first shows it.
//!
//! The history ends when another client changes the memory of the link (a restored backup has no status), and when
//! versions may be missing. A new history starts with the next version.

use instancelink_api::{InstanceLink, Intent, State, Verb, Verdict, keys};
use instancelink_core::action::Memory;

use super::{Answer, Edited, Event, EventKind, History, Link, linearizable};

/// The manager of the one kind of request that no client writes: the purge after `ttlSecondsAfterRemoved`.
const BY_TIME: &str = "ttlSecondsAfterRemoved";

/// The facts in one version of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: State,
    /// `lastAction`.
    last: Option<Intent>,
    /// The intent annotation.
    intent: Option<String>,
    /// The action annotation.
    action: Option<String>,
    edited: Edited,
}

impl Seen {
    fn of(link: &InstanceLink) -> Self {
        let annotation = |key: &str| link.metadata.annotations.as_ref().and_then(|a| a.get(key)).cloned();
        let status = link.status.as_ref();
        Self {
            state: status.map(|s| s.state).unwrap_or_default(),
            last: status.and_then(|s| s.last_action.as_ref()).map(|a| a.intent.clone()),
            intent: annotation(keys::INTENT),
            action: annotation(keys::ACTION).filter(|value| !value.is_empty()),
            edited: Edited {
                managed: link.spec.desired_state.is_some(),
                deleting: link.metadata.deletion_timestamp.is_some(),
            },
        }
    }

    fn shown(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.seq)
    }
}

/// Watches one link and checks its histories.
#[derive(Debug, Default)]
pub struct Watched {
    now: u64,
    before: Option<Seen>,
    history: Option<History>,
    /// Number of histories that were checked.
    pub histories: u64,
    /// Number of requests that were written.
    pub asked: u64,
    /// Number of requests that were overwritten before they were taken: their place in the order is unknown.
    pub ambiguous: u64,
    /// Histories without an order.
    pub violations: Vec<String>,
}

impl Watched {
    /// Adds the link's next version; `by_operator` is true if an operator wrote it.
    pub fn version(&mut self, link: &InstanceLink, by_operator: bool) {
        self.now += 1;
        let seen = Seen::of(link);
        match self.before.take() {
            Some(before)
                if by_operator
                    || (before.intent == seen.intent && before.last == seen.last && before.state == seen.state) =>
            {
                self.follow(&before, &seen, by_operator);
            }
            before => {
                self.end(false);
                self.start(link, &seen, before.as_ref());
            }
        }
        self.before = Some(seen);
    }

    /// Ends the history because versions may be missing or the link is gone. A taken request may be unanswered.
    pub fn cut(&mut self) {
        self.end(false);
        self.before = None;
    }

    /// Ends the history of a link that exists and rests: every request must be answered.
    pub fn rested(&mut self) {
        if let Some(last) = self.before.take()
            && self.is_unanswered(&last)
        {
            self.taken();
        }
        self.end(true);
    }

    fn start(&mut self, link: &InstanceLink, seen: &Seen, before: Option<&Seen>) {
        let memory = Memory::of(link).last;
        let shown = seen.last.as_ref();
        self.history = Some(History {
            from: Link {
                state: seen.state,
                seq: memory.as_ref().map_or(0, |m| m.seq),
                desired: memory.as_ref().and_then(|m| m.desired),
                shown: (seen.shown(), shown.and_then(|last| last.desired)),
                handled: memory.map(|m| m.handled).unwrap_or_default(),
                edited: seen.edited,
            },
            events: Vec::new(),
        });
        if let Some(action) = &seen.action {
            let is_new = before.is_none_or(|before| before.action != seen.action);
            self.asked += u64::from(is_new);
            self.request(action);
        }
    }

    fn follow(&mut self, before: &Seen, seen: &Seen, by_operator: bool) {
        if before.edited != seen.edited {
            self.push_now(EventKind::Edited(seen.edited));
        }
        if before.action != seen.action {
            match (&before.action, &seen.action) {
                (Some(_), None) if by_operator => self.taken(),
                (Some(_), _) => self.ambiguous += u64::from(self.is_unanswered(before)),
                (None, _) => {}
            }
            if let Some(action) = &seen.action {
                self.asked += 1;
                self.request(action);
            }
        }
        if before.shown() != seen.shown()
            && let Some(last) = &seen.last
        {
            self.answered(last);
        }
        if by_operator && (before.state != seen.state || before.last != seen.last) {
            self.push_now(EventKind::Entered(seen.state));
        }
        let shown = seen.last.as_ref().and_then(|last| last.desired);
        self.push_now(EventKind::Read(seen.state, seen.shown(), shown));
    }

    fn push(&mut self, called: u64, returned: u64, kind: EventKind) {
        if let Some(history) = &mut self.history {
            history.events.push(Event { called, returned, kind });
        }
    }

    fn push_now(&mut self, kind: EventKind) {
        self.push(self.now, self.now, kind);
    }

    fn request(&mut self, value: &str) {
        let (verb, id) = value.split_once('/').unwrap_or((value, ""));
        let kind = EventKind::Request {
            verb: Verb::ALL.into_iter().find(|known| known.as_str() == verb),
            id: id.to_owned(),
            answer: Answer::None,
        };
        self.push(self.now, u64::MAX, kind);
    }

    /// The request in the annotation: the last one that was written, if it is not answered.
    fn current_request(&mut self) -> Option<&mut Event> {
        let events = self.history.as_mut()?.events.iter_mut();
        let requests = events.filter(|event| matches!(event.kind, EventKind::Request { .. }));
        requests.max_by_key(|event| event.called).filter(|event| {
            matches!(
                event.kind,
                EventKind::Request {
                    answer: Answer::None,
                    ..
                }
            )
        })
    }

    /// True if the annotation has a request that is not answered and was not handled before.
    fn is_unanswered(&mut self, seen: &Seen) -> bool {
        let handled = seen
            .last
            .as_ref()
            .map(|last| last.handled.as_slice())
            .unwrap_or_default();
        seen.action.as_ref().is_some_and(|action| !handled.contains(action)) && self.current_request().is_some()
    }

    /// Marks the current request as taken: an operator removed its annotation, so it must be in the order.
    fn taken(&mut self) {
        let now = self.now;
        if let Some(event) = self.current_request() {
            event.returned = now;
            if let EventKind::Request { answer, .. } = &mut event.kind {
                *answer = Answer::Taken;
            }
        }
    }

    fn answered(&mut self, last: &Intent) {
        let now = self.now;
        let shown = Answer::Shown {
            seq: last.seq,
            verdict: last.verdict,
            rivalled: last.verdict == Verdict::Rejected && last.reason == "AliasTaken",
        };
        let asked = Verb::ALL.into_iter().find(|verb| verb.as_str() == last.action);
        if last.manager == BY_TIME {
            let kind = EventKind::Request {
                verb: asked,
                id: String::new(),
                answer: shown,
            };
            return self.push(1, now, kind);
        }
        // The newest request with this value: an older one was overwritten, or is answered next.
        let events = self.history.iter_mut().flat_map(|history| &mut history.events);
        for event in events.rev() {
            if let EventKind::Request { verb, id, answer } = &mut event.kind
                && !matches!(answer, Answer::Shown { .. })
                && *verb == asked
                && (asked.is_none() || *id == last.id)
            {
                (event.returned, *answer) = (now, shown);
                return;
            }
        }
    }

    /// Checks the history.
    fn end(&mut self, at_rest: bool) {
        self.now += 1;
        if at_rest {
            let now = self.now;
            for event in self.history.iter_mut().flat_map(|history| &mut history.events) {
                event.returned = event.returned.min(now);
            }
            self.now += 1;
            self.push_now(EventKind::Rested);
        }
        let Some(history) = self.history.take() else { return };
        self.histories += 1;
        if !linearizable(&history) {
            self.violations.push(format!("no order of {}", describe(&history)));
        }
    }
}

/// The requests with their answers and the states between them, for the message about a violation.
fn describe(history: &History) -> String {
    let lines = history
        .events
        .iter()
        .filter(|event| !matches!(event.kind, EventKind::Read(..)));
    let lines = lines.map(|event| match event.returned {
        returned if returned == event.called => format!("{} {:?}", event.called, event.kind),
        u64::MAX => format!("{}… {:?}", event.called, event.kind),
        returned => format!("{}–{returned} {:?}", event.called, event.kind),
    });
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
