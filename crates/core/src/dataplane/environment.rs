//! Builds the environment: one ConfigMap per source, to which each link adds its own variables and no other's.
//!
//! The annotation `instancelink.dev/entries` says whose each key is. A key of an older link is never overwritten, one of
//! a younger link is taken over, and a key in nobody's list is dropped.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::keys;
use instancelink_api::spec::EnvironmentMode;

use super::docker;
use super::ownership::{Claim, claim_of, is_shared_of_ours};
use super::place::{Place, sibling_paths, source_owner, spokesman};
use crate::child::{Environment, Found, Object};
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

type Entries = BTreeMap<String, Vec<String>>;

/// The environment as it shall be while the link is up; none where nobody has an entry in it.
pub(super) fn wanted(
    s: &Snapshot,
    place: &Place<'_>,
    ports: &[Port],
    older: &BTreeSet<String>,
) -> Option<Object<Environment>> {
    let standing = match claim_of(s, &s.children.environments, place.namespace, &place.directory) {
        Claim::Ours(found) => Some(found),
        Claim::Free | Claim::AnotherSources | Claim::Strangers => None,
    };
    let mut entries = standing.map(|found| found.object.entries()).unwrap_or_default();
    entries.remove(place.link_uid);

    let mut own = match s.link.object.spec.environment() {
        EnvironmentMode::Docker => docker::variables(place, ports),
        EnvironmentMode::None => BTreeMap::new(),
    };
    let is_an_older_ones = |key: &String| {
        let mut older_entries = entries.iter().filter(|(uid, _)| older.contains(*uid));
        older_entries.any(|(_, keys)| keys.contains(key))
    };
    own.retain(|key, _| !is_an_older_ones(key));
    for (_, keys) in entries.iter_mut().filter(|(uid, _)| !older.contains(*uid)) {
        keys.retain(|key| !own.contains_key(key));
    }
    if s.link.object.spec.environment() == EnvironmentMode::Docker {
        entries.insert(place.link_uid.to_owned(), own.keys().cloned().collect());
    }
    if entries.is_empty() {
        return None;
    }

    let mut data = kept_data(standing, &entries);
    data.extend(own);
    Some(Object {
        namespace: place.namespace.to_owned(),
        name: place.directory.clone(),
        labels: place.shared_labels(),
        annotations: annotations(spokesman(s, place, standing), &entries),
        owners: source_owner(s),
        body: Environment { data },
    })
}

/// What is left of an environment without the entries of these links: none where nobody else has one. All else stays
/// as it stands, but for what nobody's list names, and for the link it names, which is one that stays.
pub(crate) fn without(
    found: &Found<Environment>,
    leaving: &BTreeSet<String>,
    path_of: impl Fn(&str) -> Option<String>,
) -> Option<Object<Environment>> {
    let mut entries = found.object.entries();
    entries.retain(|uid, _| !leaving.contains(uid));
    if entries.is_empty() {
        return None;
    }
    let paths: Vec<String> = entries.keys().filter_map(|uid| path_of(uid)).collect();
    let named = found.object.annotations.get(keys::LINK).cloned().unwrap_or_default();
    let spokesman = if paths.contains(&named) {
        named
    } else {
        paths.into_iter().next().unwrap_or(named)
    };
    Some(Object {
        annotations: annotations(spokesman, &entries),
        body: Environment {
            data: kept_data(Some(found), &entries),
        },
        ..found.object.clone()
    })
}

/// What is left of an environment without this link.
pub(super) fn without_link(s: &Snapshot, found: &Found<Environment>) -> Option<Object<Environment>> {
    let uid = s.link.object.metadata.uid.clone().unwrap_or_default();
    without(found, &BTreeSet::from([uid]), |other| {
        sibling_paths(s).find(|(uid, _)| *uid == other).map(|(_, path)| path)
    })
}

/// The environments of ours, of whatever name, in which this link has an entry.
pub(super) fn mentioning(s: &Snapshot) -> impl Iterator<Item = &Found<Environment>> {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
    let all = s.children.environments.iter();
    all.filter(move |found| is_shared_of_ours(found) && found.object.mentions(uid))
}

fn kept_data(standing: Option<&Found<Environment>>, entries: &Entries) -> BTreeMap<String, String> {
    let named: BTreeSet<&String> = entries.values().flatten().collect();
    let data = standing.into_iter().flat_map(|found| &found.object.body.data);
    data.filter(|(key, _)| named.contains(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn annotations(link: String, entries: &Entries) -> BTreeMap<String, String> {
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
