//! The writes of what the links of one source share, put together: each link's on top of those before it, so that one
//! request carries all of them.
//!
//! What a link does is decided on what stands. Only the content of a write that it asks for anyway is made as if the
//! writes before it were done.

use crate::child::{ChildSpec, DesiredChild, Environment, ObservedChild};
use crate::dataplane::child_of;
use crate::effect::{Effect, Step};
use crate::lifecycle;
use crate::snapshot::Snapshot;

/// Takes the write that can be put together with other links' out of a group.
pub fn take_shared(effects: &mut Vec<Effect>) -> Option<Effect> {
    let at = effects.iter().position(|effect| environment(effect).is_some())?;
    Some(effects.remove(at))
}

/// The link's own write of the environment on top of another link's of the same source. Its own alone, where the other was
/// decided on something else than what stands now.
pub fn on_top(s: &Snapshot, before: &Effect, own: Effect) -> Effect {
    let Some(object) = environment(before) else { return own };
    if child_of(before) != child_of(&own) || replaced(before) != replaced(&own) {
        return own;
    }
    let mut imagined = s.clone();
    let (uid, resource_version) = replaced(before).unwrap_or_default();
    let standing = object.clone().written(uid, resource_version);
    imagined.children.put(ObservedChild::Environment(standing));
    let Step::Act(effects) = lifecycle::step(&imagined) else {
        return before.clone();
    };
    let both = effects.into_iter().find(|effect| child_of(effect) == child_of(before));
    match (both, &own) {
        // What would replace the imagined one is created, for nothing stands yet.
        (Some(Effect::Replace { child, .. }), Effect::Create { .. }) => Effect::Create { child },
        // A deletion, where the last ones leave.
        (Some(effect), Effect::Replace { .. }) => effect,
        _ => before.clone(),
    }
}

/// The environment an effect writes.
fn environment(effect: &Effect) -> Option<&ChildSpec<Environment>> {
    if let Effect::Create { child } | Effect::Replace { child, .. } = effect
        && let DesiredChild::Environment(object) = child
    {
        return Some(object);
    }
    None
}

/// UID and resource version of what a write replaces.
fn replaced(effect: &Effect) -> Option<(&str, &str)> {
    if let Effect::Replace {
        uid, resource_version, ..
    } = effect
    {
        return Some((uid, resource_version));
    }
    None
}

#[cfg(test)]
mod tests;
