//! One name: what the DNS answered, and what each of its links was given of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::LinkKey;
use instancelink_core::external_name::{ExternalName, Record};
use jiff::Timestamp;
use tokio::time::Instant;

use super::resolver::Found;

/// A name that links lead to.
#[derive(Debug)]
pub(super) struct Entry {
    record: Record,
    links: BTreeMap<LinkKey, Given>,
    /// When to look it up.
    pub(super) due: Instant,
}

/// What a link has of the name.
#[derive(Debug)]
struct Given {
    /// The addresses that its slices had when this operator began, until the first answer. Slices of other links do not count
    /// for it: what one namespace has in them must not get into those of another.
    programmed: Option<Arc<BTreeSet<IpAddr>>>,
    /// What its last turn knew, or what its next turn was called for.
    known: ExternalName,
}

impl Entry {
    /// A name without an answer.
    pub(super) fn new(due: Instant) -> Self {
        Self {
            record: Record::default(),
            links: BTreeMap::new(),
            due,
        }
    }

    /// What is known of the name, for this link. The first call may bring the addresses that its slices have of the name.
    pub(super) fn known_to(
        &mut self,
        link: &LinkKey,
        programmed: Option<BTreeSet<IpAddr>>,
        now: Timestamp,
    ) -> ExternalName {
        let given = self.links.entry(link.clone()).or_insert_with(|| Given {
            programmed: programmed.map(Arc::new),
            known: ExternalName::Pending,
        });
        given.known = self.record.known(given.programmed.as_ref(), now);
        given.known.clone()
    }

    /// The link leads to the name no more. True if it was the last one.
    pub(super) fn remove(&mut self, link: &LinkKey) -> bool {
        self.links.remove(link);
        self.links.is_empty()
    }

    /// Takes an answer. Returns when to ask again, and the links for which something changed.
    pub(super) fn take(&mut self, found: Found, now: Timestamp) -> (Duration, Vec<LinkKey>) {
        let wait = self.record.take(found.answer, found.ttl, now);
        let mut changed = Vec::new();
        for (link, given) in &mut self.links {
            if self.record.has_answer() {
                given.programmed = None;
            }
            let known = self.record.known(given.programmed.as_ref(), now);
            if known != given.known {
                given.known = known;
                changed.push(link.clone());
            }
        }
        (wait, changed)
    }
}
