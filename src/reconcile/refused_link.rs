//! The refusals of writes of links themselves: in one pass, and from one pass to the next. The link cannot say them, so an event
//! does. Core decides when.

use std::collections::HashMap;

use instancelink_cluster::LinkKey;
use instancelink_core::lifecycle::{self, RefusedSince};
use instancelink_core::refusal::Refusal;
use instancelink_core::snapshot::Snapshot;
use parking_lot::Mutex;

use super::outcome::Outcome;
use crate::events::Publisher;
use crate::queue::Ending;

/// The links whose last pass had such a refusal.
#[derive(Default)]
pub(crate) struct RefusedLinks(Mutex<HashMap<LinkKey, RefusedSince>>);

impl RefusedLinks {
    /// At the end of a pass that had this refusal, or none. A pass without one shows nothing if it did not come to its end, or if
    /// others undo writes of the link: one in a minute succeeds.
    pub(super) fn pass_ended(&self, link: &LinkKey, refused: &RefusedLink, ending: Ending, is_disputed: bool) {
        let mut links = self.0.lock();
        match (refused.since.filter(|_| refused.refusal.is_some()), ending) {
            (Some(since), _) => {
                links.insert(link.clone(), since);
            }
            (None, Ending::Conflict | Ending::Failed(_) | Ending::Yielded) => {}
            (None, Ending::Settled(_) | Ending::Refused(_) | Ending::RefusedUnseen(_)) if is_disputed => {}
            (None, Ending::Settled(_) | Ending::Refused(_) | Ending::RefusedUnseen(_) | Ending::Gone) => {
                links.remove(link);
            }
        }
    }

    /// What a pass begins with.
    pub(super) fn before(&self, link: &LinkKey) -> RefusedLink {
        RefusedLink {
            refusal: None,
            since: self.0.lock().get(link).copied(),
        }
    }
}

/// The first such refusal in a pass.
pub(super) struct RefusedLink {
    refusal: Option<Refusal>,
    /// What is remembered of the passes before.
    since: Option<RefusedSince>,
}

impl RefusedLink {
    /// Notes a refusal, and publishes the event about it if it is due.
    pub(super) fn note(&mut self, refusal: Refusal, snapshot: &Snapshot, events: &Publisher) {
        if self.refusal.is_some() {
            return;
        }
        if let Some(event) = lifecycle::event_of_refusal(snapshot, &refusal, &mut self.since) {
            events.publish(snapshot, &event);
        }
        self.refusal = Some(refusal);
    }

    /// True if no event tells when it ends.
    pub(super) fn ends_unseen(&self) -> bool {
        self.refusal.as_ref().is_some_and(Refusal::ends_unseen)
    }

    /// The outcome of a pass that this refusal may have ended.
    pub(super) fn of(&self, outcome: Outcome) -> Outcome {
        if self.ends_unseen() { outcome.unseen() } else { outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Ending = Ending::RefusedUnseen(None);

    /// The passes that publish an event, of passes every four seconds. Each has this refusal or none.
    fn published(passes: &[(bool, Ending)], is_disputed: bool) -> Vec<usize> {
        let (links, link) = (RefusedLinks::default(), LinkKey::new("shop", "web-db"));
        let refusal = Refusal::link_altered("shop", "web-db");
        let mut s = instancelink_core::fixture::snapshot();
        let mut published = Vec::new();
        for (number, (is_refused, ending)) in passes.iter().enumerate() {
            let mut refused = links.before(&link);
            if *is_refused {
                if lifecycle::event_of_refusal(&s, &refusal, &mut refused.since).is_some() {
                    published.push(number);
                }
                refused.refusal = Some(refusal.clone());
            }
            links.pass_ended(&link, &refused, *ending, is_disputed);
            s.now += jiff::SignedDuration::from_secs(4);
        }
        published
    }

    /// contract#events
    #[test]
    fn earlier_refusals_of_children_do_not_take_the_event_about_the_link() {
        let children = [(false, REFUSED); 9];
        let link = [(true, REFUSED); 3];
        assert_eq!(published(&[&children[..], &link[..]].concat(), false), [10]);
    }

    #[test]
    fn a_conflict_in_between_shows_nothing_and_a_write_that_succeeds_ends_the_refusal() {
        let (refused, conflict, settled) = (
            (true, REFUSED),
            (false, Ending::Conflict),
            (false, Ending::Settled(None)),
        );
        assert_eq!(published(&[refused, conflict, refused], false), [2]);
        assert_eq!(published(&[refused, settled, refused], false), [0_usize; 0]);
    }

    /// contract#events
    #[test]
    fn writes_that_others_undo_have_one_event_although_one_of_them_succeeds_each_minute() {
        let minute = [(true, REFUSED), (false, Ending::Settled(None))];
        assert_eq!(published(&minute.repeat(30), true), [2]);
    }
}
