//! The refusal of a write of the link itself in one pass. The link cannot say it, so an event does. Core decides when.

use instancelink_core::lifecycle;
use instancelink_core::refusal::Refusal;
use instancelink_core::snapshot::Snapshot;

use super::outcome::Outcome;
use crate::events::Publisher;
use crate::queue::Turn;

/// The first such refusal.
#[derive(Default)]
pub(super) struct RefusedLink(Option<Refusal>);

impl RefusedLink {
    /// Notes a refusal, and publishes the event about it if it is due.
    pub(super) fn note(&mut self, refusal: Refusal, snapshot: &Snapshot, turn: &Turn, events: &Publisher) {
        if self.0.is_some() {
            return;
        }
        if let Some(event) = lifecycle::event_of_refusal(snapshot, &refusal, turn.refusals) {
            events.publish(snapshot, &event);
        }
        self.0 = Some(refusal);
    }

    /// True if no event tells when it ends.
    pub(super) fn ends_unseen(&self) -> bool {
        self.0.as_ref().is_some_and(Refusal::ends_unseen)
    }

    /// The outcome of a pass that this refusal may have ended.
    pub(super) fn of(&self, outcome: Outcome) -> Outcome {
        if self.ends_unseen() { outcome.unseen() } else { outcome }
    }
}
