//! Writes of what links of one source share, kept back while others of the source are due: one of them sends what all of
//! them have to say.

use std::collections::HashMap;

use instancelink_core::batch;
use instancelink_core::effect::Effect;
use instancelink_core::snapshot::Snapshot;
use parking_lot::Mutex;

use super::queue::{Queue, Turn};
use instancelink_cluster::SourceKey;

/// One write a source: the last link's that gave way, on top of those before it. A link that gave way has another turn and
/// decides anew, so nothing is lost with what is kept here.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<HashMap<SourceKey, Effect>>);

impl Batches {
    /// Puts the shared write of a group together with those that were kept back. True where it is kept back as well, and
    /// the link gives way once the rest of the group is done.
    pub(super) fn keep_back(&self, queue: &Queue, turn: &Turn, snapshot: &Snapshot, group: &mut Vec<Effect>) -> bool {
        let Some(source) = &turn.source else { return false };
        let Some(own) = batch::take_shared(group) else {
            return false;
        };
        let before = self.0.lock().remove(source);
        // What nobody waits for is not meant any more.
        let before = before.filter(|_| turn.gave_way || turn.others_gave_way);
        let write = match before {
            Some(before) => batch::on_top(snapshot, &before, own),
            None => own,
        };
        if queue.may_give_way(turn) {
            self.0.lock().insert(source.clone(), write);
            return true;
        }
        group.push(write);
        false
    }

    /// A link that gave way has decided anew: what was kept back with its word in it may hold no more.
    pub(super) fn decided_anew(&self, turn: &Turn) {
        if let Some(source) = turn.source.as_ref().filter(|_| turn.gave_way) {
            self.0.lock().remove(source);
        }
    }
}
