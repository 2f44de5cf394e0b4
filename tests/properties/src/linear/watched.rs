//! Takes histories from the versions of a link, as they were written or as a watcher saw them: a request is called when
//! its annotation is written, and returns when `lastAction` first shows it.
//!
//! Where somebody else writes what the link remembers (a backup drops the status), and where versions may be missing, a
//! history ends and another one begins with what is left.

use instancelink_api::{InstanceLink, Intent, State, Verb, Verdict, keys};
use instancelink_core::action::Memory;

use super::{Answer, Edited, Event, History, Link, What, linearizable};

/// The manager of the one kind of request that nobody writes: the purge that a link's time to live asks for.
const BY_TIME: &str = "ttlSecondsAfterRemoved";

/// What one version of a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: State,
    /// `lastAction`.
    last: Option<Intent>,
    /// The intent as it is written.
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

/// Watches one link, and judges its histories.
#[derive(Debug, Default)]
pub struct Watched {
    now: u64,
    before: Option<Seen>,
    history: Option<History>,
    /// Histories that were judged.
    pub histories: u64,
    /// Requests that were written.
    pub asked: u64,
    /// Those of them that were overwritten before anybody took them: where in the order they were cannot be told.
    pub ambiguous: u64,
    /// Histories that have no order.
    pub violations: Vec<String>,
}

impl Watched {
    /// The link's next version, and whether an operator wrote it.
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
                self.begin(link, &seen, before.as_ref());
            }
        }
        self.before = Some(seen);
    }

    /// Versions may be missing here, or the link is gone: what was taken may be unanswered.
    pub fn cut(&mut self) {
        self.end(false);
        self.before = None;
    }

    /// The link stands and is at rest: everything was answered.
    pub fn rested(&mut self) {
        if let Some(last) = self.before.take()
            && self.stands_unheard(&last)
        {
            self.taken();
        }
        self.end(true);
    }

    fn begin(&mut self, link: &InstanceLink, seen: &Seen, before: Option<&Seen>) {
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
            self.at_once(What::Edited(seen.edited));
        }
        if before.action != seen.action {
            match (&before.action, &seen.action) {
                (Some(_), None) if by_operator => self.taken(),
                (Some(_), _) => self.ambiguous += u64::from(self.stands_unheard(before)),
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
            self.at_once(What::Entered(seen.state));
        }
        let shown = seen.last.as_ref().and_then(|last| last.desired);
        self.at_once(What::Read(seen.state, seen.shown(), shown));
    }

    fn push(&mut self, called: u64, returned: u64, what: What) {
        if let Some(history) = &mut self.history {
            history.events.push(Event { called, returned, what });
        }
    }

    fn at_once(&mut self, what: What) {
        self.push(self.now, self.now, what);
    }

    fn request(&mut self, value: &str) {
        let (verb, id) = value.split_once('/').unwrap_or((value, ""));
        let what = What::Request {
            verb: Verb::ALL.into_iter().find(|known| known.as_str() == verb),
            id: id.to_owned(),
            answer: Answer::None,
        };
        self.push(self.now, u64::MAX, what);
    }

    /// The request that was written last: the one whose annotation stands.
    fn standing(&mut self) -> Option<&mut Event> {
        let events = self.history.as_mut()?.events.iter_mut();
        let requests = events.filter(|event| matches!(event.what, What::Request { .. }));
        requests.max_by_key(|event| event.called).filter(|event| {
            matches!(
                event.what,
                What::Request {
                    answer: Answer::None,
                    ..
                }
            )
        })
    }

    /// An annotation stands that nobody answered and that was not handled before.
    fn stands_unheard(&mut self, seen: &Seen) -> bool {
        let handled = seen
            .last
            .as_ref()
            .map(|last| last.handled.as_slice())
            .unwrap_or_default();
        seen.action.as_ref().is_some_and(|action| !handled.contains(action)) && self.standing().is_some()
    }

    /// The request that stands, or stood until now, has to be in the order: its taking is what took it away.
    fn taken(&mut self) {
        let now = self.now;
        if let Some(event) = self.standing() {
            event.returned = now;
            if let What::Request { answer, .. } = &mut event.what {
                *answer = Answer::Taken;
            }
        }
    }

    fn answered(&mut self, last: &Intent) {
        let now = self.now;
        let told = Answer::Told {
            seq: last.seq,
            verdict: last.verdict,
            rivalled: last.verdict == Verdict::Rejected && last.reason == "AliasTaken",
        };
        let asked = Verb::ALL.into_iter().find(|verb| verb.as_str() == last.action);
        if last.manager == BY_TIME {
            let what = What::Request {
                verb: asked,
                id: String::new(),
                answer: told,
            };
            return self.push(1, now, what);
        }
        // The newest that fits: one of the same value that was written before it was overwritten, or is answered next.
        let events = self.history.iter_mut().flat_map(|history| &mut history.events);
        for event in events.rev() {
            if let What::Request { verb, id, answer } = &mut event.what
                && !matches!(answer, Answer::Told { .. })
                && *verb == asked
                && (asked.is_none() || *id == last.id)
            {
                (event.returned, *answer) = (now, told);
                return;
            }
        }
    }

    /// Judges the history, and begins none.
    fn end(&mut self, at_rest: bool) {
        self.now += 1;
        if at_rest {
            let now = self.now;
            for event in self.history.iter_mut().flat_map(|history| &mut history.events) {
                event.returned = event.returned.min(now);
            }
            self.now += 1;
            self.at_once(What::Rested);
        }
        let Some(history) = self.history.take() else { return };
        self.histories += 1;
        if !linearizable(&history) {
            self.violations.push(format!("no order of {}", told(&history)));
        }
    }
}

/// Requests with what came of them, and the states between: what a reader of a violation needs.
fn told(history: &History) -> String {
    let lines = history
        .events
        .iter()
        .filter(|event| !matches!(event.what, What::Read(..)));
    let lines = lines.map(|event| match event.returned {
        returned if returned == event.called => format!("{} {:?}", event.called, event.what),
        u64::MAX => format!("{}… {:?}", event.called, event.what),
        returned => format!("{}–{returned} {:?}", event.called, event.what),
    });
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
