//! Combines the writes of the environment that links of one source ask for at the same time, so that one request has the
//! entries of all of them.
//!
//! The decision of each link depends only on the observed state. The content of its write assumes that the writes
//! before it have succeeded.

use crate::child::{ChildSpec, DesiredChild, Environment, ObservedChild};
use crate::dataplane::child_of;
use crate::effect::{Effect, Step};
use crate::lifecycle;
use crate::snapshot::Snapshot;

/// Takes the write that can be combined with those of other links out of a group.
pub fn take_shared(effects: &mut Vec<Effect>) -> Option<Effect> {
    let at = effects.iter().position(|effect| environment(effect).is_some())?;
    Some(effects.remove(at))
}

/// The link's write of the environment, made on top of the write of another link of the same source. Its own write alone,
/// where the other one replaces another version.
pub fn on_top(s: &Snapshot, before: &Effect, own: Effect) -> Effect {
    let Some(object) = environment(before) else { return own };
    if child_of(before) != child_of(&own) || replaced(before) != replaced(&own) {
        return own;
    }
    let mut assumed = s.clone();
    let (uid, resource_version) = replaced(before).unwrap_or_default();
    let standing = object.clone().written(uid, resource_version);
    assumed.children.put(ObservedChild::Environment(standing));
    let Step::Act(effects) = lifecycle::step(&assumed) else {
        return before.clone();
    };
    let both = effects.into_iter().find(|effect| child_of(effect) == child_of(before));
    match (both, &own) {
        // The environment does not exist yet, so the combined one is created.
        (Some(Effect::Replace { child, .. }), Effect::Create { .. }) => Effect::Create { child },
        // It can be a deletion, where both links take out the last entries.
        (Some(effect), Effect::Replace { .. }) => after(before, effect),
        _ => before.clone(),
    }
}

/// A write that was decided as if the one before had been sent: it also removes what that one removes.
fn after(before: &Effect, mut effect: Effect) -> Effect {
    if let (Effect::Replace { delta: earlier, .. }, Effect::Replace { delta, .. }) = (before, &mut effect) {
        delta.follow(earlier);
    }
    effect
}

/// The environment that an effect writes.
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
