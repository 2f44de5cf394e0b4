//! Which names links lead to, what the DNS answered for each, and when to ask again. Plain data with the time as an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use instancelink_cluster::LinkKey;
use instancelink_core::external_name::{ExternalName, PER_NAMESPACE};
use jiff::Timestamp;
use tokio::time::Instant;

use super::entry::Entry;
use super::resolver::Found;
use crate::due_lookups::Schedule;

/// The names that links lead to.
#[derive(Debug, Default)]
pub(super) struct Registry {
    entries: HashMap<String, Entry>,
    names: BTreeMap<LinkKey, BTreeSet<String>>,
    /// Links whose names are more than those of one namespace may be.
    refused: BTreeSet<LinkKey>,
    timers: BTreeSet<(Instant, String)>,
    /// Links that had a turn of this operator.
    seen: HashSet<LinkKey>,
}

impl Registry {
    /// A link leads to these names, and has these addresses of them in its slices. Returns what is known of the names, and the
    /// links that were refused and may have room now.
    pub(super) fn want(
        &mut self,
        link: &LinkKey,
        wanted: BTreeMap<String, BTreeSet<IpAddr>>,
        now: Instant,
        time: Timestamp,
    ) -> (BTreeMap<String, ExternalName>, Vec<LinkKey>) {
        let before = self.names.remove(link).unwrap_or_default();
        let mut dropped = false;
        for name in before.iter().filter(|name| !wanted.contains_key(*name)) {
            dropped |= self.remove(name, link);
        }
        self.refused.remove(link);
        // Later, the slices may have addresses that were no answer for the name, such as the cluster IP of a Service that became an
        // external name.
        let is_first_turn = self.seen.insert(link.clone());
        let mut known = BTreeMap::new();
        let mut own = BTreeSet::new();
        for (name, programmed) in wanted {
            if !before.contains(&name) && !self.has_room(link, &own, &name) {
                self.refused.insert(link.clone());
                known.insert(name, ExternalName::TooMany);
                continue;
            }
            let entry = self.entries.entry(name.clone()).or_insert_with(|| {
                self.timers.insert((now, name.clone()));
                Entry::new(now)
            });
            let programmed = Some(programmed).filter(|_| is_first_turn);
            known.insert(name.clone(), entry.known_to(link, programmed, time));
            own.insert(name);
        }
        if !own.is_empty() {
            self.names.insert(link.clone(), own);
        }
        (known, if dropped { self.refused_in(link) } else { Vec::new() })
    }

    /// The link leads to no name any more. Returns the links that were refused and may have room now.
    pub(super) fn forget(&mut self, link: &LinkKey) -> Vec<LinkKey> {
        self.refused.remove(link);
        self.seen.remove(link);
        let Some(names) = self.names.remove(link) else {
            return Vec::new();
        };
        for name in &names {
            self.remove(name, link);
        }
        self.refused_in(link)
    }

    /// True if the namespace of the link may lead to one more name, or leads to this one already.
    fn has_room(&self, link: &LinkKey, own: &BTreeSet<String>, name: &String) -> bool {
        let first = LinkKey::new(&link.namespace, "");
        let of_namespace = self
            .names
            .range(first..)
            .take_while(|(other, _)| other.namespace == link.namespace);
        let mut all: BTreeSet<&String> = of_namespace.flat_map(|(_, names)| names).collect();
        all.extend(own);
        all.contains(name) || all.len() < PER_NAMESPACE
    }

    fn refused_in(&self, link: &LinkKey) -> Vec<LinkKey> {
        let refused = self.refused.iter();
        refused
            .filter(|other| other.namespace == link.namespace)
            .cloned()
            .collect()
    }

    /// True if no link leads to the name any more.
    fn remove(&mut self, name: &String, link: &LinkKey) -> bool {
        let Some(entry) = self.entries.get_mut(name) else {
            return false;
        };
        let is_last = entry.remove(link);
        if is_last {
            self.timers.remove(&(entry.due, name.clone()));
            self.entries.remove(name);
        }
        is_last
    }

    /// Records an answer. Returns the links for which something changed.
    pub(super) fn record(&mut self, name: &str, found: Found, now: Instant, time: Timestamp) -> Vec<LinkKey> {
        let Some(entry) = self.entries.get_mut(name) else {
            return Vec::new();
        };
        let (wait, links) = entry.take(found, time);
        self.set_timer(name, now + wait);
        links
    }

    fn set_timer(&mut self, name: &str, due: Instant) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        self.timers.remove(&(entry.due, name.to_owned()));
        entry.due = due;
        self.timers.insert((due, name.to_owned()));
    }
}

impl Schedule for Registry {
    type Key = String;

    fn pop(&mut self, now: Instant) -> Option<Self::Key> {
        let (_, name) = self.timers.first().filter(|(due, _)| *due <= now)?.clone();
        self.set_timer(&name, now + std::time::Duration::from_mins(1));
        Some(name)
    }

    fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests;
