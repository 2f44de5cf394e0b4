//! The sequential specification of a link: the effect of each event, and when it is allowed.

use instancelink_api::{Desired, State, Verb, Verdict};
use instancelink_core::lifecycle::is_edge;

use super::{Answer, Edited, EventKind};
use crate::model::verdict_on;

/// Number of requests with an id that are remembered (lifecycle#handled-values).
const REMEMBERED: usize = 16;

/// The facts that a verdict depends on, and the facts that readers see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its state.
    pub state: State,
    /// The number of the last request.
    pub seq: u64,
    /// The desired state of the last accepted request.
    pub desired: Option<Desired>,
    /// `seq` and `desired` as acknowledged in `lastAction`.
    pub shown: (u64, Option<Desired>),
    /// `verb/id` of requests that were taken.
    pub handled: Vec<String>,
    /// Other facts that a verdict depends on.
    pub edited: Edited,
}

impl Link {
    /// The link after an event; none if the specification does not allow it.
    pub(super) fn after(&self, kind: &EventKind) -> Option<Self> {
        match kind {
            EventKind::Request { verb, id, answer } => self.after_request(*verb, id, *answer),
            EventKind::Edited(edited) => Some(Self {
                edited: *edited,
                ..self.clone()
            }),
            // A status write acknowledges what was taken before it.
            EventKind::Entered(state) => (*state == self.state || is_edge(self.state, *state)).then(|| Self {
                state: *state,
                shown: (self.seq, self.desired),
                ..self.clone()
            }),
            EventKind::Read(state, seq, desired) => {
                (self.state == *state && self.shown == (*seq, *desired)).then(|| self.clone())
            }
            EventKind::Rested => (self.shown.0 == self.seq).then(|| self.clone()),
        }
    }

    fn after_request(&self, verb: Option<Verb>, id: &str, answer: Answer) -> Option<Self> {
        let verdict = verb.map_or(Verdict::Rejected, |verb| self.verdict(verb, answer));
        let agrees = match answer {
            Answer::Shown {
                seq, verdict: shown, ..
            } => seq == self.seq + 1 && shown == verdict,
            Answer::Taken | Answer::None => true,
        };
        let remembered = verb.filter(|_| !id.is_empty()).map(|verb| format!("{verb}/{id}"));
        let fresh = remembered.as_ref().is_none_or(|value| !self.handled.contains(value));
        // lifecycle#one-request-at-a-time
        (fresh && agrees && self.shown.0 == self.seq).then(|| {
            let mut next = self.clone();
            next.seq += 1;
            next.handled.extend(remembered);
            if next.handled.len() > REMEMBERED {
                next.handled.remove(0);
            }
            if let Some(verb) = verb
                && verdict == Verdict::Accepted
            {
                next.desired = Some(verb.desired());
            }
            next
        })
    }

    fn verdict(&self, verb: Verb, answer: Answer) -> Verdict {
        let by_spec = self.edited.managed && matches!(verb, Verb::Activate | Verb::Deactivate);
        let rivalled = verb == Verb::Restore && matches!(answer, Answer::Shown { rivalled: true, .. });
        if self.edited.deleting || by_spec || rivalled {
            Verdict::Rejected
        } else {
            verdict_on(self.state, self.desired, verb)
        }
    }
}
