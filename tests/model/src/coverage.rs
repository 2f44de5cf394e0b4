//! Records which edges, verdicts, kinds and reasons a campaign reached: a promise that is never exercised proves
//! nothing.

use std::collections::BTreeSet;

use instancelink_api::{Intent, State};
use instancelink_core::effect::Effect;
use parking_lot::Mutex;

/// What was reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    /// State changes that were written.
    pub(crate) edges: BTreeSet<(&'static str, &'static str)>,
    /// Verdicts on requests: the reason of a rejection, or `accepted <verb>`.
    pub(crate) verdicts: BTreeSet<String>,
    /// Kinds of children that were created.
    pub(crate) kinds: BTreeSet<String>,
    /// Reasons of conditions that were written as False.
    pub(crate) reasons: BTreeSet<String>,
}

/// Records what is reached.
#[derive(Debug, Default)]
pub(crate) struct Coverage(Mutex<Reached>);

impl Coverage {
    pub(crate) fn moved(&self, from: State, to: State) {
        if from != to {
            self.0.lock().edges.insert((from.as_str(), to.as_str()));
        }
    }

    pub(crate) fn taken(&self, intent: &Intent) {
        let verdict = if intent.reason.is_empty() {
            format!("accepted {}", intent.action)
        } else {
            intent.reason.clone()
        };
        self.0.lock().verdicts.insert(verdict);
    }

    pub(crate) fn decided(&self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Create { child } = effect {
                self.0.lock().kinds.insert(format!("{:?}", child.key().kind));
            }
            if let Effect::WriteStatus { status } = effect {
                let untrue = status.conditions.iter().filter(|condition| condition.status == "False");
                let mut reached = self.0.lock();
                reached.reasons.extend(untrue.map(|condition| condition.reason.clone()));
            }
        }
    }

    pub(crate) fn reached(&self) -> Reached {
        self.0.lock().clone()
    }
}
