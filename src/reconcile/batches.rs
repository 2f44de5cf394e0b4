//! Writes of shared children that are held back while other links of the source are due, so that one write carries the
//! changes of all of them.

use std::collections::HashMap;

use instancelink_cluster::SourceKey;
use instancelink_core::batch;
use instancelink_core::child::DesiredChild;
use instancelink_core::effect::Effect;
use instancelink_core::snapshot::Snapshot;
use parking_lot::Mutex;

use crate::queue::{Queue, Turn};

/// At most one write per source: that of the last link that yielded, on top of the earlier ones. A link that yielded has
/// another turn and decides again, so nothing is lost with a write that is held back.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<HashMap<SourceKey, Effect>>);

impl Batches {
    /// Merges the shared write of a group with those that were held back. True if it is held back as well, and the link
    /// yields after the rest of the group.
    pub(super) fn hold_back(&self, queue: &Queue, turn: &Turn, snapshot: &Snapshot, group: &mut Vec<Effect>) -> bool {
        let Some(source) = &turn.source else { return false };
        let Some(own) = batch::take_shared(group) else {
            return false;
        };
        let before = self.0.lock().remove(source);
        // Without a link that yielded, the write that is held back is outdated.
        let before = before.filter(|_| turn.yielded || turn.others_yielded);
        let write = match before {
            Some(before) => batch::on_top(snapshot, &before, own),
            None => own,
        };
        if queue.may_yield(turn) {
            self.0.lock().insert(source.clone(), write);
            return true;
        }
        group.push(write);
        false
    }

    /// The child that the write that is held back would create or replace.
    pub(super) fn held_back(&self, source: &SourceKey) -> Option<DesiredChild> {
        match self.0.lock().get(source)? {
            Effect::Create { child } | Effect::Replace { child, .. } => Some(child.clone()),
            _ => None,
        }
    }

    /// A turn ended. If its link had yielded before, it has decided again now, and the write that is held back may contain
    /// its older decision.
    pub(super) fn end_turn(&self, turn: &Turn) {
        if let Some(source) = turn.source.as_ref().filter(|_| turn.yielded) {
            self.0.lock().remove(source);
        }
    }
}
