//! What the status of a link cannot say, because a quota, a policy or a webhook refuses to write the link itself: an event says
//! it (contract#events).

use instancelink_api::condition::Reason;
use jiff::{SignedDuration, Timestamp};

use super::message;
use crate::effect::Event;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// Then it lasts longer than the replacement of a policy or a webhook. The first three retries begin within it.
const LASTS_AFTER: SignedDuration = SignedDuration::from_millis(2500);
/// An event is kept for an hour, if the administrator sets no other time.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// The time until another reason is published.
const OTHER_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Writes of a link that were refused in each pass since this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedSince {
    first: Timestamp,
    /// The last event about it.
    published: Option<(Reason, Timestamp)>,
}

/// The event about the refusal of a write of the link, if it is due: not while it may be over soon, and not again for each pass.
/// `since` is what is remembered of the refused passes before this one, without one in between that was not refused.
pub fn event_of_refusal(s: &Snapshot, refusal: &Refusal, since: &mut Option<RefusedSince>) -> Option<Event> {
    let since = since.get_or_insert(RefusedSince {
        first: s.now,
        published: None,
    });
    let lasts = s.now.duration_since(since.first) >= LASTS_AFTER;
    let is_published = since.published.is_some_and(|(reason, at)| {
        let pause = if reason == refusal.reason {
            AGAIN_AFTER
        } else {
            OTHER_AFTER
        };
        s.now.duration_since(at) < pause
    });
    // A namespace that is being deleted takes no new objects.
    if !lasts || is_published || s.namespace.terminating {
        return None;
    }
    since.published = Some((refusal.reason, s.now));
    Some(event_about(refusal))
}

/// The event about a refusal that lasts.
pub fn event_about(refusal: &Refusal) -> Event {
    Event {
        warning: true,
        reason: refusal.reason.as_str().to_owned(),
        action: Reason::Transitioning.as_str().to_owned(),
        note: message::as_note(&refusal.message),
    }
}

#[cfg(test)]
mod tests;
