//! What the operator remembers of its own recent writes of a link's children, so that it neither repeats a write without end
//! nor stops to follow the link's pods while others change the same objects (lifecycle#disputes).
//!
//! Plain data. `dataplane` decides with it; the operator keeps it in memory for some minutes, and forgets it when it restarts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use instancelink_api::State;
use jiff::{SignedDuration, Timestamp};

use crate::alteration::Alteration;
use crate::child::{Key, ObservedChild};

/// After this time without a write of any child of the link, the earlier writes no longer count.
pub(crate) const COUNT_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Repairs of what other clients changed that have no pause before them.
pub(crate) const FREE: u32 = 3;
/// The pause before a write that is repeated again and again.
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// The number of pauses before it: 0.5 s, doubled with each. Together they are 31.5 s.
const DOUBLED: u32 = 6;
/// Of more children of a link, no write is remembered. A link has far fewer; others may create objects with its marks.
const MOST: usize = 256;

/// What a link asks of its children, without what is observed of them. While it stays the same, a second write of a child
/// repeats the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub(crate) state: State,
    pub(crate) wish: (i64, i64),
}

/// The last write of a child.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub(crate) asked: Asked,
    /// The UID of the object; empty after its deletion.
    pub(crate) uid: String,
    /// The version that the write left; none after a deletion.
    pub(crate) left: Option<String>,
    /// The answer differed from what was sent.
    pub(crate) altered: bool,
    /// What others changed, if it is known.
    pub(crate) alteration: Option<Alteration>,
    /// The writes before this one that were repeated for the same reason.
    pub(crate) times: u32,
    /// Those of them that were due because another client wrote.
    pub(crate) edits: u32,
    /// Others delete the child, and do not change it.
    pub(crate) deleted: bool,
    /// The object in the answer, if admission took the label by which it is watched: no event will show it.
    pub(crate) unwatched: Option<Box<ObservedChild>>,
    /// When it was answered.
    pub(crate) at: Timestamp,
}

impl Written {
    /// Which repetition of this write is the next one; 0 for one without a pause before it.
    fn nth(&self) -> u32 {
        let nth = self.times.saturating_add(1);
        if self.altered { nth } else { nth.saturating_sub(FREE) }
    }

    /// True if the write was repeated so often that the link makes only one such write a minute. A deletion does not show whether
    /// admission alters what is created after it, so it counts as if it did.
    pub(crate) fn is_slow(&self) -> bool {
        self.nth() > DOUBLED || (self.left.is_none() && self.times >= DOUBLED)
    }

    /// When the write may be repeated; none if there is no pause.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.at.checked_add(pause(self.nth())?).ok()
    }

    /// Until when the child counts as disputed after a repair that succeeded. Without that, the status would change twice with
    /// each repair.
    pub(crate) fn calm_at(&self) -> Option<Timestamp> {
        let is_disputed = self.edits >= FREE;
        self.at.checked_add(LONGEST).ok().filter(|_| is_disputed)
    }

    /// True if one more repair of what another client changed makes the child disputed.
    pub(crate) fn is_disputed_after_another_edit(&self) -> bool {
        self.edits.saturating_add(1) >= FREE
    }

    fn counts(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < COUNT_FOR
    }

    /// True if the next write of the child may be one that others undo: after a slow write it is long until then.
    const fn is_of_dispute(&self) -> bool {
        self.altered || self.times > 0
    }
}

/// The pause before the `nth` repetition; none before one that is free.
pub(crate) const fn pause(nth: u32) -> Option<SignedDuration> {
    match nth {
        0 => None,
        1..=DOUBLED => Some(SignedDuration::from_millis(500 << (nth - 1))),
        _ => Some(LONGEST),
    }
}

/// The recent writes of one link's children, and what this pass learnt about them.
#[derive(Clone, Debug, Default)]
pub struct Disputes {
    pub(crate) written: BTreeMap<Key, Written>,
    /// Children that the API server does not update, and its answer.
    pub(crate) unchangeable: BTreeMap<Key, String>,
    /// The hashes of what the link asks for, which do not change in a pass.
    pub(crate) wishes: OnceLock<Wishes>,
}

/// The hashes of what a link asks for, by what a kind of child depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    /// Spec, source and ports: every kind.
    pub(crate) all: i64,
    /// The endpoints: slices.
    pub(crate) endpoints: i64,
    /// Who may connect to whom: policies.
    pub(crate) policy: i64,
    /// The Secret that it refers to: bindings.
    pub(crate) secret: i64,
}

impl Disputes {
    /// At the start of a pass: the writes that still count. While one of them does, those of disputed children do, too.
    pub fn recalled(mut written: BTreeMap<Key, Written>, now: Timestamp) -> Self {
        if !Self::is_remembered(written.values(), now) {
            written.clear();
        }
        written.retain(|_, one| one.counts(now) || one.is_of_dispute());
        Self {
            written,
            ..Self::default()
        }
    }

    /// Remembers a write. For one too many, the oldest is forgotten, first those of children without a dispute.
    pub(crate) fn remember(&mut self, key: Key, written: Written) {
        self.written.insert(key, written);
        if self.written.len() > MOST {
            let rank = |one: &Written| (one.is_of_dispute(), one.at);
            let first = self.written.iter().min_by_key(|(_, one)| rank(one));
            if let Some(key) = first.map(|(key, _)| key.clone()) {
                self.written.remove(&key);
            }
        }
    }

    /// What to remember until the next pass.
    pub fn written(&self) -> &BTreeMap<Key, Written> {
        &self.written
    }

    /// True if a write still counts, so that it has to be remembered.
    pub fn is_remembered<'a>(written: impl IntoIterator<Item = &'a Written>, now: Timestamp) -> bool {
        written.into_iter().any(|one| one.counts(now))
    }

    /// True if the operator wrote the object with this UID for this link, and admission changed it in that write. An object that
    /// lost its marks later is no longer known to be the operator's.
    pub(crate) fn is_altered(&self, key: &Key, uid: &str) -> bool {
        let is_it = |one: &Written| one.altered && one.uid == uid;
        self.written.get(key).is_some_and(is_it)
    }

    /// The answer of the API server, if it does not update this child.
    pub(crate) fn why_unchangeable(&self, key: &Key) -> Option<&str> {
        self.unchangeable.get(key).map(String::as_str)
    }

    /// When the link may make its next slow write; none if it made none.
    pub(crate) fn next_slow(&self) -> Option<Timestamp> {
        let slow = self
            .written
            .values()
            .filter(|one| one.is_slow())
            .map(|one| one.at)
            .max();
        slow?.checked_add(LONGEST).ok()
    }

    /// Admission no longer changes one kind of child. The others are tried again soon.
    pub(crate) fn hasten(&mut self) {
        for one in self.written.values_mut().filter(|one| one.altered) {
            one.times = 0;
        }
    }

    /// The earliest time at which a write may be repeated, or a child no longer counts as disputed.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        let times = self.written.values().flat_map(|one| [one.until(), one.calm_at()]);
        let times = times.chain([self.next_slow()]);
        times.flatten().filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests;
