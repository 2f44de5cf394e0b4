//! Writes of children whose answers were lost: what has to be asked before a decision may be acted on.
//!
//! Such a write may have been done, and the watch may be late to tell. Not every decision has to wait for that: the same write
//! once more is answered with what stands, and what another link wrote counts only where it would change what this one does.

use instancelink_api::keys;

use crate::child::{ChildSpec, DesiredChild, Key, Observed, ObservedChild, Slice};
use crate::effect::{Effect, Step};
use crate::lifecycle;
use crate::snapshot::Snapshot;

/// The children to ask for before this step may be acted on, which was decided as if none of these writes had been done.
pub fn to_ask(s: &Snapshot, step: &Step, doubtful: &[DesiredChild]) -> Vec<Key> {
    let matters = |child: &&DesiredChild| !writes(step, &child.key()) && !is_all_one(s, step, child);
    let mut children: Vec<Key> = doubtful.iter().filter(matters).map(DesiredChild::key).collect();
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

/// The link would do the same if this had been written.
fn is_all_one(s: &Snapshot, step: &Step, child: &DesiredChild) -> bool {
    let mut s = s.clone();
    let can_be_imagined = match child {
        DesiredChild::Slice(slice) => imagine_slice(&mut s, slice),
        DesiredChild::Environment(environment) => {
            for sibling in &mut s.siblings {
                let uid = sibling.object.metadata.uid.as_deref();
                sibling.has_children |= uid.is_some_and(|uid| environment.mentions(uid));
            }
            imagine(&mut s, environment, ObservedChild::Environment);
            true
        }
        DesiredChild::Directory(directory) => {
            imagine(&mut s, directory, ObservedChild::Directory);
            true
        }
        DesiredChild::VirtualIp(_) | DesiredChild::Policy(_) | DesiredChild::Binding(_) => false,
    };
    can_be_imagined && lifecycle::step(&s) == *step
}

/// Another link's slice: all that is seen of it is that there is one. False where no such link is.
fn imagine_slice(s: &mut Snapshot, slice: &ChildSpec<Slice>) -> bool {
    let link = slice.labels.get(keys::LINK_UID);
    let mut siblings = s.siblings.iter_mut();
    let sibling = siblings.find(|sibling| sibling.object.metadata.uid.as_ref() == link);
    sibling.map(|sibling| sibling.has_children = true).is_some()
}

/// What the links of the source share.
fn imagine<T: Clone>(s: &mut Snapshot, object: &ChildSpec<T>, standing: fn(Observed<T>) -> ObservedChild) {
    s.living_owners.extend(s.source.iter().map(|source| source.uid.clone()));
    let mut found = object.clone().written("", "");
    if let Some(before) = s.children.find(&standing(found.clone()).key()) {
        before.version().0.clone_into(&mut found.uid);
    }
    s.children.put(standing(found));
}

#[cfg(test)]
mod tests;
