//! The operator's recent writes of a link itself, so that it does not repeat one without end that other clients undo
//! (lifecycle#disputed-link). What admission undoes is in the answer, and counts as refused.
//!
//! Plain data. The operator keeps it in memory for some minutes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use instancelink_api::InstanceLinkStatus;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::disputes::{COUNT_FOR, FREE, LONGEST, pause};
use crate::effect::Effect;
use crate::hash;

/// What a write of a link sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Finalizer,
    Intent,
    Status,
}

/// The last write of a part.
#[derive(Clone, Copy, Debug)]
struct Last {
    content: i64,
    /// How often in a row it was repeated.
    times: u32,
    at: Timestamp,
}

impl Last {
    /// Which repetition the next one is; 0 for one without a pause before it.
    const fn nth(self) -> u32 {
        self.times.saturating_add(1).saturating_sub(FREE)
    }

    fn until(self) -> Option<Timestamp> {
        self.at.checked_add(pause(self.nth())?).ok()
    }
}

/// The last writes of one link.
#[derive(Clone, Debug, Default)]
pub struct LinkWrites(BTreeMap<Part, Last>);

impl LinkWrites {
    /// Records a write that was answered.
    pub fn record(&mut self, effect: &Effect, now: Timestamp) {
        let Some((part, content)) = content_of(effect) else {
            return;
        };
        let last = self.0.get(&part).filter(|last| last.content == content);
        let times = last.map_or(0, |last| last.times.saturating_add(1));
        self.0.insert(
            part,
            Last {
                content,
                times,
                at: now,
            },
        );
    }

    /// The write of a group that only repeats one that others undo, and the time until which it waits. All parts of a link
    /// together have one write a minute.
    pub fn held<'a>(&self, effects: &'a [Effect], now: Timestamp) -> Option<(&'a Effect, Timestamp)> {
        let slow = self.0.values().filter(|last| pause(last.nth()) == Some(LONGEST));
        let next_slow = slow.filter_map(|last| last.until()).max();
        effects.iter().find_map(|effect| {
            let (part, content) = content_of(effect)?;
            let last = self.0.get(&part).filter(|last| last.content == content)?;
            let slow = next_slow.filter(|_| pause(last.nth()) == Some(LONGEST));
            let until = last.until().max(slow).filter(|until| now < *until)?;
            Some((effect, until))
        })
    }

    /// True while one of the writes counts.
    pub fn count(&self, now: Timestamp) -> bool {
        self.0.values().any(|last| now.duration_since(last.at) < COUNT_FOR)
    }
}

fn content_of(effect: &Effect) -> Option<(Part, i64)> {
    match effect {
        Effect::AddFinalizer => Some((Part::Finalizer, 0)),
        Effect::WriteIntent { intent } => {
            let text = serde_json::to_string(intent).unwrap_or_default();
            Some((Part::Intent, hash::bits52(&text)))
        }
        Effect::WriteStatus { status } => Some((Part::Status, content_of_status(status))),
        Effect::AcceptAction { .. }
        | Effect::DropFinalizer
        | Effect::DeleteLink
        | Effect::Create { .. }
        | Effect::Replace { .. }
        | Effect::Delete { .. }
        | Effect::Publish(_) => None,
    }
}

/// Without times: they are other ones each time.
fn content_of_status(status: &InstanceLinkStatus) -> i64 {
    let mut status = status.clone();
    status.history.clear();
    status.removed = None;
    if let Some(last) = &mut status.last_action {
        last.completed_at = None;
    }
    let conditions = std::mem::take(&mut status.conditions);
    let mut text = serde_json::to_string(&status).unwrap_or_default();
    for condition in conditions {
        let Condition {
            type_,
            status,
            reason,
            message,
            ..
        } = condition;
        let _ = write!(text, "\n{type_} {status} {reason} {message}");
    }
    hash::bits52(&text)
}

#[cfg(test)]
mod tests;
