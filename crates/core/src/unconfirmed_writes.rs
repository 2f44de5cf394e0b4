//! Writes of children whose answers were lost: which children have to be read from the API server before a step is executed.
//!
//! Such a write may have succeeded, and the watch may show it later. Not each step has to wait for that: a repetition of the
//! same write is answered with the object that exists, and a write of another link matters only where it changes this step.

use instancelink_api::keys;

use crate::child::{ChildSpec, DesiredChild, Key, Observed, ObservedChild, Slice};
use crate::effect::{Effect, Step};
use crate::lifecycle;
use crate::snapshot::Snapshot;

/// The children to read before this step is executed. The step was decided as if none of these writes had succeeded.
pub fn to_ask(s: &Snapshot, step: &Step, unconfirmed: &[DesiredChild]) -> Vec<Key> {
    let matters = |child: &&DesiredChild| !writes(step, &child.key()) && !changes_nothing(s, step, child);
    let mut children: Vec<Key> = unconfirmed.iter().filter(matters).map(DesiredChild::key).collect();
    children.dedup();
    children
}

fn writes(step: &Step, key: &Key) -> bool {
    let Step::Act(effects) = step else { return false };
    effects.iter().any(|effect| match effect {
        Effect::Create { child } | Effect::Replace { child, .. } => child.key() == *key,
        _ => false,
    })
}

/// True where the step would be the same if this child had been written.
fn changes_nothing(s: &Snapshot, step: &Step, child: &DesiredChild) -> bool {
    let mut s = s.clone();
    let can_be_assumed = match child {
        DesiredChild::Slice(slice) => assume_slice(&mut s, slice),
        DesiredChild::Environment(environment) => {
            for sibling in &mut s.siblings {
                let uid = sibling.object.metadata.uid.as_deref();
                sibling.has_children |= uid.is_some_and(|uid| environment.mentions(uid));
            }
            assume(&mut s, environment, ObservedChild::Environment);
            true
        }
        DesiredChild::Directory(directory) => {
            assume(&mut s, directory, ObservedChild::Directory);
            true
        }
        DesiredChild::VirtualIp(_) | DesiredChild::Policy(_) | DesiredChild::Binding(_) => false,
    };
    can_be_assumed && lifecycle::step(&s) == *step
}

/// A slice of another link: only that it exists matters. False where that link is not a sibling.
fn assume_slice(s: &mut Snapshot, slice: &ChildSpec<Slice>) -> bool {
    let link = slice.labels.get(keys::LINK_UID);
    let mut siblings = s.siblings.iter_mut();
    let sibling = siblings.find(|sibling| sibling.object.metadata.uid.as_ref() == link);
    sibling.map(|sibling| sibling.has_children = true).is_some()
}

/// A child that the links of the source share.
fn assume<T: Clone>(s: &mut Snapshot, object: &ChildSpec<T>, standing: fn(Observed<T>) -> ObservedChild) {
    s.living_owners.extend(s.source.iter().map(|source| source.uid.clone()));
    let mut found = object.clone().written("", "");
    if let Some(before) = s.children.find(&standing(found.clone()).key()) {
        before.version().0.clone_into(&mut found.uid);
    }
    s.children.put(standing(found));
}

#[cfg(test)]
mod tests;
