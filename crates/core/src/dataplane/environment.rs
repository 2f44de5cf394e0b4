//! Builds the environment: one ConfigMap per source, to which each link adds its own variables and no other's.
//!
//! The annotation `instancelink.dev/entries` says whose each key is. A key of an older link is never overwritten, one of
//! a younger link is taken over, and a key in nobody's list is dropped.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::keys;
use instancelink_api::spec::EnvironmentMode;

use super::docker;
use super::ownership::{Claim, claim_of, is_shared_of_ours};
use super::place::{Place, sibling_paths, source_owner, spokesman};
use crate::child::{Environment, Found, Object};
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

type Entries<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The environment as it shall be while the link is up, which may be what stands; none where nobody has an entry in it.
pub(super) fn wanted<'a>(
    s: &'a Snapshot,
    place: &Place<'_>,
    ports: &[Port],
    older: &BTreeSet<String>,
) -> Option<Cow<'a, Object<Environment>>> {
    let standing = match claim_of(s, &s.children.environments, place.namespace, &place.directory) {
        Claim::Ours(found) => Some(found),
        Claim::Free | Claim::AnotherSources | Claim::Strangers => None,
    };
    let mut own = match s.link.object.spec.environment() {
        EnvironmentMode::Docker => docker::variables(place, ports),
        EnvironmentMode::None => BTreeMap::new(),
    };
    let mut entries = standing.map(|found| found.object.entries()).unwrap_or_default();
    entries.remove(place.link_uid);
    let is_an_older_ones = |key: &String| {
        let mut older_entries = entries.iter().filter(|(uid, _)| older.contains(**uid));
        older_entries.any(|(_, keys)| keys.contains(&key.as_str()))
    };
    own.retain(|key, _| !is_an_older_ones(key));
    for (_, keys) in entries.iter_mut().filter(|(uid, _)| !older.contains(**uid)) {
        keys.retain(|key| !own.contains_key(*key));
    }
    if s.link.object.spec.environment() == EnvironmentMode::Docker {
        entries.insert(place.link_uid, own.keys().map(String::as_str).collect());
    }
    if entries.is_empty() {
        return None;
    }

    let mut data = kept_data(standing, &entries);
    data.extend(own.iter().map(borrowed));
    let labels = place.shared_labels();
    let annotations = annotations(spokesman(s, place, standing), &entries);
    let owners = source_owner(s);
    if let Some(found) = standing.map(|found| &found.object)
        && (&found.labels, &found.annotations, &found.owners) == (&labels, &annotations, &owners)
        && (found.body.data.iter().map(borrowed)).eq(data.iter().map(|(key, value)| (*key, *value)))
    {
        return Some(Cow::Borrowed(found));
    }
    Some(Cow::Owned(Object {
        namespace: place.namespace.to_owned(),
        name: place.directory.clone(),
        labels,
        annotations,
        owners,
        body: Environment { data: owned(data) },
    }))
}

/// What is left of an environment without the entries of these links: none where nobody else has one. All else stays
/// as it stands, but for what nobody's list names, and for the link it names, which is one that stays.
pub(crate) fn without(
    found: &Found<Environment>,
    leaving: &BTreeSet<&str>,
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
            data: owned(kept_data(Some(found), &entries)),
        },
        ..found.object.clone()
    })
}

/// What is left of an environment without this link.
pub(super) fn without_link(s: &Snapshot, found: &Found<Environment>) -> Option<Object<Environment>> {
    let uid = s.link.object.metadata.uid.as_deref().unwrap_or_default();
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

/// What stands of the keys that are in somebody's list.
fn kept_data<'a>(standing: Option<&'a Found<Environment>>, entries: &Entries<'_>) -> BTreeMap<&'a str, &'a str> {
    let Some(found) = standing else { return BTreeMap::new() };
    let named = entries.values().flatten();
    named
        .filter_map(|key| found.object.body.data.get_key_value(*key))
        .map(borrowed)
        .collect()
}

fn borrowed<'a>((key, value): (&'a String, &'a String)) -> (&'a str, &'a str) {
    (key, value)
}

fn owned(data: BTreeMap<&str, &str>) -> BTreeMap<String, String> {
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
