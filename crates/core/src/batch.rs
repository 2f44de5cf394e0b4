//! The writes of what the links of one source share, put together: each link's on top of those before it, so that one
//! request carries all of them.
//!
//! What a link does is decided on what stands. Only the content of a write that it asks for anyway is made as if the
//! writes before it were done.

use crate::child::{Draft, Environment, Found, Kind, Object, Standing};
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
    if !replace_the_same(before, &own) {
        return own;
    }
    let mut imagined = s.clone();
    let (uid, resource_version) = replaced(before).unwrap_or_default();
    imagined.children.put(Standing::Environment(Found {
        uid: uid.to_owned(),
        resource_version: resource_version.to_owned(),
        terminating: false,
        object: object.clone(),
    }));
    let Step::Act(effects) = lifecycle::step(&imagined) else {
        return before.clone();
    };
    let both = effects.into_iter().find_map(|effect| instead_of(&own, object, effect));
    both.unwrap_or_else(|| before.clone())
}

/// What is to be sent instead of the link's own write: this effect, if it is on the same environment.
fn instead_of(own: &Effect, imagined: &Object<Environment>, effect: Effect) -> Option<Effect> {
    if let Effect::Delete { key, .. } = &effect {
        // The last ones to leave.
        let same = key.kind == Kind::Environment && key.namespace == imagined.namespace && key.name == imagined.name;
        return (same && replaced(own).is_some()).then_some(effect);
    }
    let object = environment(&effect).filter(|object| object.name == imagined.name)?;
    let child = Draft::Environment(object.clone());
    Some(match replaced(own) {
        Some((uid, resource_version)) => Effect::Replace {
            child,
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
        },
        None => Effect::Create { child },
    })
}

/// The environment an effect writes.
fn environment(effect: &Effect) -> Option<&Object<Environment>> {
    if let Effect::Create { child } | Effect::Replace { child, .. } = effect
        && let Draft::Environment(object) = child
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

fn replace_the_same(a: &Effect, b: &Effect) -> bool {
    let name = |effect| environment(effect).map(|object| (&object.namespace, &object.name));
    name(a) == name(b) && replaced(a) == replaced(b)
}

#[cfg(test)]
mod tests;
