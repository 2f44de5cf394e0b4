//! The delayed hold (contract#delayed-hold): while pods of the source run, and the time for them is not over, nothing takes a link
//! down for the reason that the source is missing.

use instancelink_api::State;
use instancelink_api::condition::types;
use instancelink_core::effect::Effect;
use instancelink_core::snapshot::Snapshot;

use crate::promise::{Broken, Promise};

/// The promise that the effects break. `with_source` are those of the same step if the source existed.
pub(crate) fn broken_by(s: &Snapshot, effects: &[Effect], with_source: impl FnOnce() -> Vec<Effect>) -> Broken {
    let link = &s.link.object;
    let conditions = link.status.iter().flat_map(|status| &status.conditions);
    let seen = conditions
        .into_iter()
        .find(|condition| condition.type_ == types::HOLD_DELAYED);
    let is_over = seen.is_some_and(|seen| seen.last_transition_time.0 + s.source_grace <= s.now);
    let is_up = matches!(link.state(), State::Active | State::UpdatingActive);
    let waits = is_up && s.pods_of_former_source && !s.namespace.terminating && !is_over;
    let is_kept = !waits || !deactivates(effects) || deactivates(&with_source());
    Broken::unless(is_kept, Promise::Rest)
}

fn deactivates(effects: &[Effect]) -> bool {
    let deactivating =
        |effect: &Effect| matches!(effect, Effect::WriteStatus { status } if status.state == State::Deactivating);
    effects.iter().any(deactivating)
}
