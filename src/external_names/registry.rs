//! Which names links lead to, what the DNS answered for each, and when to ask again. Plain data with the time as an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use instancelink_cluster::LinkKey;
use instancelink_core::external_name::{ExternalName, PER_NAMESPACE, Record};
use jiff::Timestamp;
use tokio::time::Instant;

use super::resolver::Found;

#[derive(Debug)]
struct Entry {
    record: Record,
    links: BTreeSet<LinkKey>,
    due: Instant,
}

/// The names that links lead to.
#[derive(Debug, Default)]
pub(super) struct Registry {
    entries: HashMap<String, Entry>,
    names: BTreeMap<LinkKey, BTreeSet<String>>,
    /// Links whose names are more than those of one namespace may be.
    refused: BTreeSet<LinkKey>,
    timers: BTreeSet<(Instant, String)>,
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
                // The addresses of a link that had another name are those of that name.
                let programmed = if before.is_empty() { programmed } else { BTreeSet::new() };
                Entry {
                    record: Record::of_programmed(programmed),
                    links: BTreeSet::new(),
                    due: now,
                }
            });
            entry.links.insert(link.clone());
            known.insert(name.clone(), entry.record.known(time));
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
        entry.links.remove(link);
        let is_last = entry.links.is_empty();
        if is_last {
            self.timers.remove(&(entry.due, name.clone()));
            self.entries.remove(name);
        }
        is_last
    }

    /// The next name that is due. Without an answer, for example after a panic, it is due again later.
    pub(super) fn pop(&mut self, now: Instant) -> Option<String> {
        let (_, name) = self.timers.first().filter(|(due, _)| *due <= now)?.clone();
        self.set_timer(&name, now + std::time::Duration::from_mins(1));
        Some(name)
    }

    /// When the next name is due.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Records an answer. Returns the links for which something changed.
    pub(super) fn record(&mut self, name: &str, found: Found, now: Instant, time: Timestamp) -> Vec<LinkKey> {
        let Some(entry) = self.entries.get_mut(name) else {
            return Vec::new();
        };
        let before = entry.record.known(time);
        let wait = entry.record.take(found.answer, found.ttl, time);
        let changed = entry.record.known(time) != before;
        let links = if changed {
            entry.links.iter().cloned().collect()
        } else {
            Vec::new()
        };
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

#[cfg(test)]
mod tests;
