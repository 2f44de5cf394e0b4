//! What the operator last wrote of a link itself: its finalizer, its intent and its status. If other clients change one of them
//! back again and again, the operator goes on as if its own were still there, and writes it with growing pauses
//! (lifecycle#disputed-link). What admission undoes is in the answer, and counts as refused.
//!
//! Plain data. The operator keeps it in memory for some minutes.

mod part;

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::InstanceLink;
use jiff::Timestamp;

use crate::disputes::{COUNT_FOR, FREE, LONGEST, pause};
use crate::effect::Effect;
use crate::snapshot::Link;
use part::{Own, Part};

/// What the operator wrote of a part.
#[derive(Clone, Debug)]
struct Written {
    content: i64,
    /// The part itself, once the next write of it has a pause. Before, a state that others set is left by its own edges.
    own: Option<Own>,
    /// How often in a row others changed it back, and the operator wrote it again.
    undone: u32,
    /// When it was last written again; before that, when it was last written.
    at: Timestamp,
}

impl Written {
    /// The pause before it is written again, if others change it back now.
    const fn pause(&self) -> Option<jiff::SignedDuration> {
        pause(self.undone.saturating_add(1).saturating_sub(FREE))
    }

    fn until(&self) -> Option<Timestamp> {
        self.at.checked_add(self.pause()?).ok()
    }

    fn counts(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < COUNT_FOR
    }
}

/// What the operator last wrote of one link.
#[derive(Clone, Debug, Default)]
pub struct LinkWrites {
    uid: String,
    written: BTreeMap<Part, Written>,
    /// The parts that the API server shows otherwise.
    changed: BTreeSet<Part>,
}

impl LinkWrites {
    /// Takes the link as the API server shows it, and puts back into it what others changed again and again. Returns it as it was,
    /// if there was such a part.
    pub fn take(&mut self, snapshot: &mut Link, now: Timestamp) -> Option<InstanceLink> {
        let link = &mut snapshot.object;
        let uid = link.metadata.uid.as_deref().unwrap_or_default();
        if self.uid != uid {
            // What was written of a former link of this name says nothing.
            *self = Self {
                uid: uid.to_owned(),
                ..Self::default()
            };
        }
        // Parts that others change back take turns, so it can be long since one of them was written.
        let count = self.count(now);
        self.written
            .retain(|_, written| written.counts(now) || (count && written.undone > 0));
        self.changed = self.changed_in(link).collect();
        let as_written = self.as_written(link)?;
        if self.changed.contains(&Part::Status) {
            // What others wrote may be unreadable.
            snapshot.unusable.take_if(|why| why.status_field().is_some());
        }
        Some(std::mem::replace(link, as_written))
    }

    /// The link with what others changed again and again as the operator wrote it. None if it is so.
    pub fn as_written(&self, link: &InstanceLink) -> Option<InstanceLink> {
        if link.metadata.uid.as_deref() != Some(&self.uid) {
            return None;
        }
        let changed = self
            .changed_in(link)
            .filter_map(|part| self.written.get(&part)?.own.as_ref());
        let mut changed = changed.peekable();
        changed.peek()?;
        let mut as_written = link.clone();
        changed.for_each(|own| own.put_into(&mut as_written));
        Some(as_written)
    }

    fn changed_in(&self, link: &InstanceLink) -> impl Iterator<Item = Part> {
        let parts = self.written.iter();
        let changed =
            parts.filter(|(part, written)| part.may_be_written(link) && part.content_in(link) != written.content);
        changed.map(|(part, _)| *part)
    }

    /// Records a write that was answered with this link.
    pub fn record(&mut self, effect: &Effect, link: &InstanceLink, now: Timestamp) {
        for part in Part::written_by(effect).iter().copied() {
            let before = self.written.get(&part);
            let is_undone = self.changed.remove(&part);
            let undone = before.map_or(0, |before| before.undone.saturating_add(u32::from(is_undone)));
            let at = before.filter(|before| before.undone > 0 && !is_undone);
            let written = Written {
                content: part.content_in(link),
                own: part.own_of(link).filter(|_| undone >= FREE),
                undone,
                at: at.map_or(now, |before| before.at),
            };
            self.written.insert(part, written);
        }
    }

    /// A write was sent, and may have been done: what the API server shows then may be the operator's own.
    pub fn forget(&mut self, effect: &Effect) {
        for part in Part::written_by(effect) {
            self.written.remove(part);
        }
    }

    /// What others changed and a pass did not write again: the write that is due now.
    ///
    /// # Errors
    /// If none is due yet. The time is that of the next one; none if others changed nothing. All parts of a link together have
    /// one write a minute.
    pub fn due(&self, now: Timestamp) -> Result<Effect, Option<Timestamp>> {
        let slow = self.written.values().filter(|written| written.pause() == Some(LONGEST));
        let next_slow = slow.filter_map(Written::until).max();
        let mut next = None;
        for part in &self.changed {
            let Some(written) = self.written.get(part) else {
                continue;
            };
            let Some(own) = &written.own else { continue };
            let slow = next_slow.filter(|_| written.pause() == Some(LONGEST));
            match written.until().max(slow).filter(|until| now < *until) {
                None => return Ok(own.write()),
                Some(until) => next = next.map_or(Some(until), |next: Timestamp| Some(next.min(until))),
            }
        }
        Err(next)
    }

    /// True once others changed a part back, and the operator wrote it again.
    pub fn are_undone(&self) -> bool {
        self.written.values().any(|written| written.own.is_some())
    }

    /// True while a part has a pause before its next write.
    pub fn is_disputed(&self, now: Timestamp) -> bool {
        self.count(now) && self.written.values().any(|written| written.pause().is_some())
    }

    /// True while one of the writes counts.
    pub fn count(&self, now: Timestamp) -> bool {
        self.written.values().any(|written| written.counts(now))
    }
}

#[cfg(test)]
mod tests;
