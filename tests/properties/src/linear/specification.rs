//! The link as the sequential specification has it: what each operation does to it, and where it is allowed.

use instancelink_api::{Desired, State, Verb, Verdict};
use instancelink_core::lifecycle::is_edge;

use super::{Answer, Edited, What};
use crate::model::judged;

/// How many requests with an id are remembered (lifecycle#handled-values).
const REMEMBERED: usize = 16;

/// What a request is judged by, and what readers see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its state.
    pub state: State,
    /// The number of the last request.
    pub seq: u64,
    /// What the last accepted one asked for.
    pub desired: Option<Desired>,
    /// The same two as acknowledged in `lastAction`.
    pub shown: (u64, Option<Desired>),
    /// `verb/id` of requests that were taken.
    pub handled: Vec<String>,
    /// What else a verdict depends on.
    pub edited: Edited,
}

impl Link {
    /// The link after an operation; none where the specification does not allow it there.
    pub(super) fn after(&self, what: &What) -> Option<Self> {
        match what {
            What::Request { verb, id, answer } => self.after_request(*verb, id, *answer),
            What::Edited(edited) => Some(Self {
                edited: *edited,
                ..self.clone()
            }),
            // A write of the status shows what was taken before it.
            What::Entered(state) => (*state == self.state || is_edge(self.state, *state)).then(|| Self {
                state: *state,
                shown: (self.seq, self.desired),
                ..self.clone()
            }),
            What::Read(state, seq, desired) => {
                (self.state == *state && self.shown == (*seq, *desired)).then(|| self.clone())
            }
            What::Rested => (self.shown.0 == self.seq).then(|| self.clone()),
        }
    }

    fn after_request(&self, verb: Option<Verb>, id: &str, answer: Answer) -> Option<Self> {
        let verdict = verb.map_or(Verdict::Rejected, |verb| self.verdict(verb, answer));
        let agrees = match answer {
            Answer::Told { seq, verdict: told, .. } => seq == self.seq + 1 && told == verdict,
            Answer::Taken | Answer::None => true,
        };
        let remembered = verb.filter(|_| !id.is_empty()).map(|verb| format!("{verb}/{id}"));
        let fresh = remembered.as_ref().is_none_or(|value| !self.handled.contains(value));
        // No request is taken before the previous one is acknowledged: lifecycle#one-request-at-a-time.
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
        let rivalled = verb == Verb::Restore && matches!(answer, Answer::Told { rivalled: true, .. });
        if self.edited.deleting || by_spec || rivalled {
            Verdict::Rejected
        } else {
            judged(self.state, self.desired, verb)
        }
    }
}
