//! Builds the environment: one ConfigMap per source, to which each link adds its own variables and no other's.
//!
//! The annotation `instancelink.dev/entries` says whose each key is. A key of an older link is never overwritten, one of
//! a younger link is taken over, and a key in nobody's list is dropped.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use instancelink_api::keys;
use instancelink_api::spec::EnvironmentMode;

use super::docker;
use super::naming::{Names, representative, sibling_paths, source_owner};
use super::ownership::{Claim, claim_of, is_shared_of_ours};
use crate::child::{ChildSpec, Environment, Observed};
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

type Entries<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The environment as it shall be while the link is up, worked out when it is asked for: all links of the source are in it,
/// and most steps do not look at it.
#[derive(Clone, Debug)]
pub struct WantedEnvironment<'a> {
    s: &'a Snapshot,
    ports: Vec<Port>,
    older: BTreeSet<String>,
    made: OnceCell<Option<Cow<'a, ChildSpec<Environment>>>>,
}

impl<'a> WantedEnvironment<'a> {
    pub(super) fn new(s: &'a Snapshot, ports: &[Port], older: &BTreeSet<String>) -> Self {
        Self {
            s,
            ports: ports.to_vec(),
            older: older.clone(),
            made: OnceCell::new(),
        }
    }

    /// What shall stand; none where nobody has an entry in it.
    pub fn get(&self) -> Option<&ChildSpec<Environment>> {
        self.made
            .get_or_init(|| wanted(self.s, &self.ports, &self.older))
            .as_deref()
    }
}

impl PartialEq for WantedEnvironment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// The environment as it shall be while the link is up, which may be what stands; none where nobody has an entry in it.
fn wanted<'a>(s: &'a Snapshot, ports: &[Port], older: &BTreeSet<String>) -> Option<Cow<'a, ChildSpec<Environment>>> {
    let names = &Names::of(s);
    let standing = match claim_of(s, &s.children.environments, names.namespace, &names.directory) {
        Claim::Ours(found) => Some(found),
        Claim::Free | Claim::AnotherSources | Claim::Strangers => None,
    };
    let mut own = match s.link.object.spec.environment() {
        EnvironmentMode::Docker => docker::variables(names, ports),
        EnvironmentMode::None => BTreeMap::new(),
    };
    let mut entries = standing.map(|found| found.object.entries()).unwrap_or_default();
    entries.remove(names.link_uid);
    for (_, keys) in entries.iter().filter(|(uid, _)| older.contains(**uid)) {
        own.retain(|own_key, _| !keys.contains(&own_key.as_str()));
    }
    for (_, keys) in entries.iter_mut().filter(|(uid, _)| !older.contains(**uid)) {
        keys.retain(|key| !own.contains_key(*key));
    }
    if s.link.object.spec.environment() == EnvironmentMode::Docker {
        entries.insert(names.link_uid, own.keys().map(String::as_str).collect());
    }
    if entries.is_empty() {
        return None;
    }

    let data = data(standing, &own, &entries);
    let labels = names.shared_labels();
    let annotations = annotations(representative(s, names, standing), &entries);
    let owners = source_owner(s);
    if let Some(found) = standing.map(|found| &found.object)
        && (&found.labels, &found.annotations, &found.owners) == (&labels, &annotations, &owners)
        && is_data_of(found, &data)
    {
        return Some(Cow::Borrowed(found));
    }
    Some(Cow::Owned(ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.directory.clone(),
        labels,
        annotations,
        owners,
        body: Environment { data: owned(data) },
    }))
}

/// What is left of an environment without the entries of these links: none where nobody else has one. All else stays
/// as it stands, but for what nobody's list names, and for the link it names, which is one that stays.
pub(crate) fn without(
    found: &Observed<Environment>,
    leaving: &BTreeSet<&str>,
    path_of: impl Fn(&str) -> Option<String>,
) -> Option<ChildSpec<Environment>> {
    let mut entries = found.object.entries();
    entries.retain(|uid, _| !leaving.contains(uid));
    if entries.is_empty() {
        return None;
    }
    let paths: Vec<String> = entries.keys().filter_map(|uid| path_of(uid)).collect();
    let named = found.object.annotations.get(keys::LINK).cloned().unwrap_or_default();
    let representative = if paths.contains(&named) {
        named
    } else {
        paths.into_iter().next().unwrap_or(named)
    };
    Some(ChildSpec {
        annotations: annotations(representative, &entries),
        body: Environment {
            data: owned(data(Some(found), &BTreeMap::new(), &entries)),
        },
        ..found.object.clone()
    })
}

/// What is left of an environment without this link.
pub(super) fn without_link(s: &Snapshot, found: &Observed<Environment>) -> Option<ChildSpec<Environment>> {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    without(found, &BTreeSet::from([uid]), |other| {
        sibling_paths(s).find(|(uid, _)| *uid == other).map(|(_, path)| path)
    })
}

/// The environments of ours, of whatever name, in which this link has an entry.
pub(super) fn mentioning(s: &Snapshot) -> impl Iterator<Item = &Observed<Environment>> {
    s.children.environments.iter().filter(|found| mentions(s, found))
}

/// True for an environment of ours in which this link has an entry.
pub(super) fn mentions(s: &Snapshot, found: &Observed<Environment>) -> bool {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    is_shared_of_ours(found) && found.object.mentions(uid)
}

/// The variables that are in somebody's list, in order: this link's, and what stands of the others'.
fn data<'a>(
    standing: Option<&'a Observed<Environment>>,
    own: &'a BTreeMap<String, String>,
    entries: &Entries<'a>,
) -> Vec<(&'a str, &'a str)> {
    let mut listed: Vec<&str> = entries.values().flatten().copied().collect();
    listed.sort_unstable();
    listed.dedup();
    let mut own = own.iter().peekable();
    let mut standing = standing
        .into_iter()
        .flat_map(|found| &found.object.body.data)
        .peekable();
    let data = listed
        .into_iter()
        .filter_map(|key| take(&mut own, key).or_else(|| take(&mut standing, key)));
    data.collect()
}

/// A key and its value, from a map that is gone through in the order of its keys.
fn take<'a>(
    map: &mut Peekable<impl Iterator<Item = (&'a String, &'a String)>>,
    key: &str,
) -> Option<(&'a str, &'a str)> {
    while map.next_if(|(other, _)| other.as_str() < key).is_some() {}
    let (key, value) = map.next_if(|(other, _)| *other == key)?;
    Some((key, value))
}

/// Whether this is what stands. Most of it was taken from there, and so needs no second look.
fn is_data_of(found: &ChildSpec<Environment>, data: &[(&str, &str)]) -> bool {
    let is_same = |a: &str, b: &str| std::ptr::eq(a, b) || a == b;
    let mut both = found.body.data.iter().zip(data);
    found.body.data.len() == data.len() && both.all(|((k, v), (key, value))| is_same(k, key) && is_same(v, value))
}

fn owned(data: Vec<(&str, &str)>) -> BTreeMap<String, String> {
    data.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn annotations(link: String, entries: &Entries<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([
        (keys::LINK.to_owned(), link),
        (
            keys::ENTRIES.to_owned(),
            serde_json::to_string(entries).unwrap_or_default(),
        ),
    ])
}

#[cfg(test)]
mod tests;
