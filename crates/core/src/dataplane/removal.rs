//! The removal of one child: due, or waiting for a right or a finalizer.

use std::collections::BTreeMap;

use super::dispute::refusal_of_removal;
use super::writes::{Body, key_of};
use crate::child::{Key, Observed};
use crate::effect::Effect;
use crate::refusal::held_back;
use crate::snapshot::Snapshot;

/// A child to delete, or to remove this link's part from.
pub(super) struct PendingRemoval {
    key: Key,
    terminating: bool,
    effect: Effect,
}

impl PendingRemoval {
    pub(super) fn new<T: Body>(found: &Observed<T>, effect: Effect) -> Self {
        Self {
            key: key_of(&found.object),
            terminating: found.terminating,
            effect,
        }
    }

    /// The write that is due. If it has to wait, adds the reason to `waits`.
    pub(super) fn due(&self, s: &Snapshot, waits: &mut BTreeMap<Key, String>) -> Option<Effect> {
        let key = &self.key;
        let wait = if let Some(refusal) = refusal_of_removal(s, key, &self.effect) {
            refusal.message_for(key, &s.account)
        } else if self.terminating {
            held_back(key)
        } else {
            return Some(self.effect.clone());
        };
        waits.insert(key.clone(), wait);
        None
    }
}
