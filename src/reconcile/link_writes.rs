//! The operator's own recent writes of links: in one pass, and from one pass to the next. Core decides what follows from them
//! (lifecycle#disputed-link).

use std::collections::HashMap;

use instancelink_cluster::LinkKey;
use instancelink_core::effect::Effect;
use instancelink_core::lifecycle;
use instancelink_core::link_writes::LinkWrites;
use instancelink_core::refusal::Refusal;
use instancelink_core::snapshot::Snapshot;
use jiff::Timestamp;
use parking_lot::Mutex;

/// The writes of all links.
#[derive(Debug, Default)]
pub(crate) struct RecentLinkWrites(Mutex<HashMap<LinkKey, LinkWrites>>);

impl RecentLinkWrites {
    /// Those of one link, at the start of a pass.
    pub(super) fn of(&self, link: &LinkKey) -> OwnLinkWrites {
        OwnLinkWrites {
            link: link.clone(),
            recent: self.0.lock().get(link).cloned().unwrap_or_default(),
            is_changed: false,
            held_until: None,
        }
    }

    /// Remembers those of one link at the end of a pass.
    pub(super) fn keep(&self, writes: OwnLinkWrites) {
        if writes.is_changed {
            self.0.lock().insert(writes.link, writes.recent);
        }
    }

    /// Forgets those that no longer count, and gives their memory back.
    pub(super) fn forget_old(&self, now: Timestamp) {
        let mut links = self.0.lock();
        links.retain(|_, writes| writes.count(now));
        links.shrink_to_fit();
    }
}

/// The writes of one link.
pub(super) struct OwnLinkWrites {
    link: LinkKey,
    recent: LinkWrites,
    is_changed: bool,
    /// When the first of those that others undo may be sent again.
    held_until: Option<Timestamp>,
}

impl OwnLinkWrites {
    /// If a write of the link only repeats one that others undo, it counts as refused in this pass, and is not sent.
    pub(super) fn hold(&mut self, snapshot: &mut Snapshot, effects: &[Effect]) -> Option<Refusal> {
        let (effect, until) = self.recent.held(effects, snapshot.now)?;
        self.held_until = Some(self.held_until.map_or(until, |known| known.min(until)));
        lifecycle::hold(snapshot, effect);
        Some(Refusal::link_edited(&self.link.namespace, &self.link.name))
    }

    /// Records a write that was answered.
    pub(super) fn record(&mut self, effect: &Effect, now: Timestamp) {
        self.recent.record(effect, now);
        self.is_changed = true;
    }

    /// When the next pass is due: at this time, or when a write need not wait any more.
    pub(super) fn wake(&self, wake: Option<Timestamp>) -> Option<Timestamp> {
        wake.into_iter().chain(self.held_until).min()
    }
}
