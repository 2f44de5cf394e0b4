//! Endpoints that stay while the target is missing (contract#kept-endpoints): no write of an active link removes one whose
//! pod serves.

use instancelink_api::State;
use instancelink_core::child::{Children, DesiredChild, Kind};
use instancelink_core::effect::Effect;

use crate::promise::{Broken, Promise};

/// The promise that the effects break for a link in this state, if `kept` says that such a pod exists.
pub(crate) fn broken_by(children: &Children, state: State, kept: bool, effects: &[Effect]) -> Broken {
    let keeps = |effect: &Effect| match effect {
        Effect::Replace {
            child: DesiredChild::Slice(desired),
            ..
        } => {
            let mut slices = children.slices.iter().map(|found| &found.object);
            let found = slices.find(|slice| slice.name == desired.name);
            found.is_none_or(|slice| slice.body.endpoints.len() <= desired.body.endpoints.len())
        }
        Effect::Delete { key, .. } => key.kind != Kind::Slice,
        _ => true,
    };
    let is_kept = !kept || state != State::Active || effects.iter().all(keeps);
    Broken::unless(is_kept, Promise::Content)
}
