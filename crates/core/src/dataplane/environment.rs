//! Builds the environment: one ConfigMap per source, to which each link adds its own variables.
//!
//! The annotation `instancelink.dev/entries` lists the keys of each link. A key of an older link is never overwritten
//! (contract#older-key-wins), a key of a younger link is taken over, and a key in no list belongs to others
//! (contract#additions). A link whose variables do not fit leaves the environment as it is (contract#environment-size).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use instancelink_api::keys;
use instancelink_api::spec::EnvironmentMode;

use super::dispute::resists;
use super::docker;
use super::environment_size::{fits, too_large};
use super::infrastructure;
use super::naming::{Names, representative, sibling_paths, source_path};
use super::ownership::{Ownership, is_shared, ownership_of};
use super::writes::{delete, key_of, repair};
use crate::child::infrastructure::put_in;
use crate::child::{ChildSpec, Environment, Observed, added};
use crate::effect::Effect;
use crate::refusal::Refusal;
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

type Entries<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The desired environment of a link that is up. It is built on demand, because it has an entry for each link of the source
/// and most steps do not need it.
#[derive(Clone, Debug)]
pub struct DesiredEnvironment<'a> {
    s: &'a Snapshot,
    ports: Vec<Port>,
    older: BTreeSet<String>,
    built: OnceCell<Built<'a>>,
}

/// The outcome of building an environment.
#[derive(Clone, Debug)]
enum Built<'a> {
    /// No link has an entry.
    Nothing,
    /// The environment with the link's variables.
    Complete(Cow<'a, ChildSpec<Environment>>),
    /// The link's variables do not fit: the environment as it is, if there is one.
    TooLarge(Option<&'a ChildSpec<Environment>>),
}

impl<'a> DesiredEnvironment<'a> {
    pub(super) fn new(s: &'a Snapshot, ports: &[Port], older: &BTreeSet<String>) -> Self {
        Self {
            s,
            ports: ports.to_vec(),
            older: older.clone(),
            built: OnceCell::new(),
        }
    }

    /// The environment; none if no link has an entry in it.
    pub fn get(&self) -> Option<&ChildSpec<Environment>> {
        match self.built() {
            Built::Nothing => None,
            Built::Complete(environment) => Some(environment),
            Built::TooLarge(as_it_is) => *as_it_is,
        }
    }

    /// The refusal if the link's variables do not fit.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        matches!(self.built(), Built::TooLarge(_)).then(|| too_large(&Names::of(self.s)))
    }

    fn built(&self) -> &Built<'a> {
        self.built.get_or_init(|| desired(self.s, &self.ports, &self.older))
    }
}

impl PartialEq for DesiredEnvironment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// Builds the desired environment. If it equals the observed one, it borrows that.
fn desired<'a>(s: &'a Snapshot, ports: &[Port], older: &BTreeSet<String>) -> Built<'a> {
    let names = &Names::of(s);
    let observed = match ownership_of(s, &s.children.environments, names.namespace, &names.directory) {
        Ownership::Own(found) => Some(found),
        Ownership::Free | Ownership::OtherSource | Ownership::Foreign => None,
    };
    let mut own = match s.link.object.spec.environment() {
        EnvironmentMode::Docker => docker::variables(names, ports),
        EnvironmentMode::None => BTreeMap::new(),
    };
    let listed = observed.and_then(|found| Some((found, found.object.listed()?)));
    let added = listed
        .iter()
        .flat_map(|(found, listed)| added(&found.object.body.data, listed));
    let added = added.collect();
    let mut entries = listed.map(|(_, listed)| listed).unwrap_or_default();
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
        return Built::Nothing;
    }

    let data = data(observed, &own, &entries, added);
    let mut labels = names.shared_labels();
    let mut annotations = annotations(representative(s, names, observed), Some(source_path(s)), &entries);
    put_in(&mut labels, &mut annotations, &infrastructure::shared(s));
    let owners = Vec::new();
    if let Some(found) = observed.map(|found| &found.object)
        && (&found.labels, &found.annotations) == (&labels, &annotations)
        && found.owners == owners
        && is_data_of(found, &data)
        && !found.body.immutable
    {
        return Built::Complete(Cow::Borrowed(found));
    }
    // An environment that became smaller is written even if it is still too large.
    if !own.is_empty() && !fits(entries.len(), &annotations, &data) {
        return Built::TooLarge(observed.map(|found| &found.object));
    }
    Built::Complete(Cow::Owned(ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.directory.clone(),
        labels,
        annotations,
        owners,
        body: Environment::new(owned(data)),
    }))
}

/// An environment without the entries of some links; none if no other link has an entry. Keys that others added stay, and the
/// annotation names a link that keeps its entry. Everything else is unchanged.
pub(crate) fn without(
    found: &Observed<Environment>,
    removed: &BTreeSet<&str>,
    path_of: impl Fn(&str) -> Option<String>,
) -> Option<ChildSpec<Environment>> {
    let mut entries = found.object.entries();
    let added = match found.object.listed() {
        Some(listed) => added(&found.object.body.data, &listed),
        None => Vec::new(),
    };
    entries.retain(|uid, _| !removed.contains(uid));
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
    let source = found.object.annotations.get(keys::SOURCE).cloned();
    let mut kept = found.object.annotations.clone();
    kept.extend(annotations(representative, source, &entries));
    Some(ChildSpec {
        annotations: kept,
        body: Environment::new(owned(data(Some(found), &BTreeMap::new(), &entries, added))),
        ..found.object.clone()
    })
}

/// An environment without the entry of this link.
pub(super) fn without_link(s: &Snapshot, found: &Observed<Environment>) -> Option<ChildSpec<Environment>> {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    // There may be very many entries, also of links that never existed: anyone who edits the ConfigMap can add some.
    let paths: BTreeMap<&str, String> = sibling_paths(s).collect();
    without(found, &BTreeSet::from([uid]), |other| paths.get(other).cloned())
}

/// The write that removes this link's entry from an environment. Without any entry left, the environment is deleted. So is one
/// that cannot be changed, or in which others restore the entry: its other links write another.
pub(super) fn remove_entry(s: &Snapshot, found: &Observed<Environment>) -> Effect {
    let rest = without_link(s, found).filter(|_| !resists(s, &key_of(&found.object)));
    rest.map_or_else(|| delete(found), |rest| repair(found, &rest))
}

/// The operator's environments, of any name, in which this link has an entry.
pub(super) fn with_entry(s: &Snapshot) -> impl Iterator<Item = &Observed<Environment>> {
    s.children.environments.iter().filter(|found| has_entry(s, found))
}

/// True for one of the operator's environments in which this link has an entry.
pub(super) fn has_entry(s: &Snapshot, found: &Observed<Environment>) -> bool {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    let is_beside = s.link.object.metadata.namespace.as_ref() == Some(&found.object.namespace);
    is_beside && is_shared(s, found) && found.object.mentions(uid)
}

/// The variables in order: those of this link, and the observed ones of the other links in the lists and of others.
fn data<'a>(
    observed: Option<&'a Observed<Environment>>,
    own: &'a BTreeMap<String, String>,
    entries: &Entries<'a>,
    added: Vec<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let mut listed: Vec<&str> = entries.values().flatten().copied().chain(added).collect();
    listed.sort_unstable();
    listed.dedup();
    let mut own = own.iter().peekable();
    let mut observed = observed
        .into_iter()
        .flat_map(|found| &found.object.body.data)
        .peekable();
    let data = listed
        .into_iter()
        .filter_map(|key| take(&mut own, key).or_else(|| take(&mut observed, key)));
    data.collect()
}

/// The entry of a key, from an iterator over a sorted map. Keys must be asked for in order.
fn take<'a>(
    map: &mut Peekable<impl Iterator<Item = (&'a String, &'a String)>>,
    key: &str,
) -> Option<(&'a str, &'a str)> {
    while map.next_if(|(other, _)| other.as_str() < key).is_some() {}
    let (key, value) = map.next_if(|(other, _)| *other == key)?;
    Some((key, value))
}

/// True if the data equals the observed data. Most values are borrowed from there, so comparing pointers is enough.
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

fn annotations(link: String, source: Option<String>, entries: &Entries<'_>) -> BTreeMap<String, String> {
    let entries = serde_json::to_string(entries).unwrap_or_default();
    let written = [(keys::LINK, link), (keys::ENTRIES, entries)];
    let written = written.into_iter().chain(source.map(|source| (keys::SOURCE, source)));
    written.map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests;
