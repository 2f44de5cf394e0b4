//! The end of a pass: what is remembered, and what happens next.

use std::time::Duration;

use instancelink_cluster::SourceKey;
use instancelink_core::snapshot::Snapshot;
use jiff::Timestamp;

use super::super::outcome::Outcome;
use super::super::record;
use super::{Pass, SHORTEST_WAKE};
use crate::queue::Ending;

impl Pass<'_> {
    pub(super) fn settle(&self, snapshot: &Snapshot, wake: Option<Timestamp>, retry: bool) -> Outcome {
        let slices = &snapshot.children.slices;
        let verifier = &self.context.verifier;
        verifier.pass_settled(&self.turn.key, &snapshot.link.object, slices);
        let wake = wake.map(|at| {
            let left = at.duration_since(self.context.clock.now());
            Duration::try_from(left).unwrap_or_default().max(SHORTEST_WAKE)
        });
        if retry {
            record::refusals(snapshot);
            let ends_unseen = self.context.refused_writes.remember(&self.turn.key, &snapshot.refusals);
            let ending = if ends_unseen || self.refused_link.ends_unseen() {
                Ending::RefusedUnseen
            } else {
                Ending::Refused
            };
            Outcome::new(ending(wake), "refused")
        } else {
            Outcome::new(Ending::Settled(wake), "settled")
        }
    }

    pub(super) fn gone(&self) -> Outcome {
        self.context.verifier.forget(&self.turn.key);
        self.context.external_names.forget(&self.turn.key);
        self.context.recent_writes.forget(&self.turn.key);
        self.forget_gone_sources();
        Outcome::new(Ending::Gone, "gone")
    }

    /// Forgets the unconfirmed writes of sources without links. The sweep finds what they may have left.
    pub(super) fn forget_gone_sources(&self) {
        let unconfirmed = &self.context.executor.unconfirmed;
        if !unconfirmed.is_empty() {
            let has_links = |source: &SourceKey| {
                self.context
                    .cache
                    .read(|index| index.links.by_source.get(source).next().is_some())
            };
            unconfirmed.retain_sources(has_links);
        }
    }
}
