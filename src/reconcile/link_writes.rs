//! What the operator last wrote of links themselves, from one pass to the next. Core decides what follows from it
//! (lifecycle#disputed-link).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_cluster::LinkKey;
use instancelink_core::effect::Effect;
use instancelink_core::link_writes::LinkWrites;
use instancelink_core::snapshot::Snapshot;
use jiff::Timestamp;
use parking_lot::Mutex;

/// More writes of parts that others undo than a pass needs.
const MOST_REPAIRS: usize = 3;

#[derive(Debug, Default)]
struct Recent {
    links: HashMap<LinkKey, LinkWrites>,
    /// Those that others undo.
    undone: HashSet<LinkKey>,
}

/// What was written of all links.
#[derive(Debug, Default)]
pub(crate) struct RecentLinkWrites(Mutex<Recent>);

impl RecentLinkWrites {
    /// What was written of one link, at the start of a pass.
    pub(super) fn of(&self, link: &LinkKey) -> OwnLinkWrites {
        OwnLinkWrites {
            link: link.clone(),
            recent: self.0.lock().links.get(link).cloned().unwrap_or_default(),
            is_changed: false,
            observed: None,
            repairs: 0,
        }
    }

    /// Remembers what was written of one link at the end of a pass.
    pub(super) fn keep(&self, writes: OwnLinkWrites) {
        if !writes.is_changed {
            return;
        }
        let mut recent = self.0.lock();
        if writes.recent.are_undone() {
            recent.undone.insert(writes.link.clone());
        } else {
            recent.undone.remove(&writes.link);
        }
        recent.links.insert(writes.link, writes.recent);
    }

    /// The link as the operator wrote it, if others change it back again and again.
    pub(crate) fn as_written(&self, link: &LinkKey, observed: &InstanceLink) -> Option<Arc<InstanceLink>> {
        let recent = self.0.lock();
        if !recent.undone.contains(link) {
            return None;
        }
        recent.links.get(link)?.as_written(observed).map(Arc::new)
    }

    /// True if others change no link back.
    fn none_is_undone(&self) -> bool {
        self.0.lock().undone.is_empty()
    }

    /// Forgets what no longer counts, and gives its memory back.
    pub(super) fn forget_old(&self, now: Timestamp) {
        let recent = &mut *self.0.lock();
        recent.links.retain(|_, writes| writes.count(now));
        recent.links.shrink_to_fit();
        recent.undone.retain(|link| recent.links.contains_key(link));
    }
}

/// What was written of one link.
pub(super) struct OwnLinkWrites {
    link: LinkKey,
    recent: LinkWrites,
    is_changed: bool,
    /// The link as the API server shows it, if others changed it back.
    observed: Option<InstanceLink>,
    /// Repairs in this pass.
    repairs: usize,
}

impl OwnLinkWrites {
    /// Takes a snapshot as the caches show it, and puts back into its links what others change again and again.
    pub(super) fn take(&mut self, snapshot: &mut Snapshot, all: &RecentLinkWrites) {
        self.take_link(snapshot);
        if all.none_is_undone() {
            return;
        }
        for sibling in &mut snapshot.siblings {
            if let Some(written) = all.as_written(&LinkKey::of(&sibling.object.metadata), &sibling.object) {
                sibling.object = written;
            }
        }
    }

    /// Takes the link as the API server shows it.
    pub(super) fn take_link(&mut self, snapshot: &mut Snapshot) {
        self.observed = self.recent.take(&mut snapshot.link, snapshot.now);
    }

    /// The link as the API server shows it. Patches are made for that.
    pub(super) fn observed<'a>(&'a self, snapshot: &'a Snapshot) -> &'a InstanceLink {
        self.observed.as_ref().unwrap_or(&snapshot.link.object)
    }

    /// Records a write that was answered with this link.
    pub(super) fn record(&mut self, effect: &Effect, link: &InstanceLink, now: Timestamp) {
        self.recent.record(effect, link, now);
        self.is_changed = true;
    }

    /// A write was sent, and may have been done.
    pub(super) fn forget(&mut self, effect: &Effect) {
        self.recent.forget(effect);
        self.is_changed = true;
    }

    /// The write of what others changed, if it is due at the end of a pass.
    ///
    /// # Errors
    /// The time of the next one; none if there is none.
    pub(super) fn repair(&mut self, now: Timestamp) -> Result<Effect, Option<Timestamp>> {
        if self.repairs == MOST_REPAIRS {
            return Err(None);
        }
        let effect = self.recent.due(now)?;
        self.repairs += 1;
        Ok(effect)
    }

    /// True while a write has a pause before it.
    pub(super) fn are_disputed(&self, now: Timestamp) -> bool {
        self.recent.is_disputed(now)
    }
}
