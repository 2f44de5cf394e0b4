//! Children that the links of one source share (directory, environment): whom they speak of, and so whom they concern.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::{Environment, Observed};

use super::affected::{Affected, Cause};
use super::index::Who;
use super::links::{LinkStore, source_key};
use super::name::ObjectName;

/// The namespace of a shared child, and something in it that leads to its links: an instance's name, the UID of an
/// instance or of a link, or `link/` and a link's name.
pub(crate) type Mention = (Arc<str>, String);

/// The instance whose directory has this name.
pub(crate) fn instance_of(directory: &str) -> Option<&str> {
    directory.strip_suffix("-links").filter(|name| !name.is_empty())
}

/// The link whose virtual IP has this name.
pub(crate) fn link_of(virtual_ip: &str) -> Option<&str> {
    virtual_ip.strip_suffix("-vip").filter(|name| !name.is_empty())
}

/// The UIDs of the links that a child of one link belongs to: by label, or, its labels lost, by owner.
pub(crate) fn links_of<T>(found: &Observed<T>) -> Vec<String> {
    let owners = found.object.owners.iter();
    let owners = owners.filter(|o| o.kind == keys::KIND).map(|o| o.uid.clone());
    let label = found.label(keys::LINK_UID).map(str::to_owned);
    let mut links: Vec<String> = label.into_iter().chain(owners).collect();
    links.sort();
    links.dedup();
    links
}

/// Everything in a child of one link that leads to it: whom its labels and owners name, and whose name it bears.
pub(crate) fn mentions_of_own<T>(found: &Observed<T>) -> Vec<Mention> {
    let namespace: Arc<str> = found.object.namespace.as_str().into();
    let mut words = links_of(found);
    words.extend(link_of(&found.object.name).map(|name| format!("link/{name}")));
    words.into_iter().map(|word| (Arc::clone(&namespace), word)).collect()
}

/// Everything in a shared child that leads to links.
pub(crate) fn mentions<T>(found: &Observed<T>) -> Vec<Mention> {
    let object = &found.object;
    let namespace: Arc<str> = object.namespace.as_str().into();
    let mut words: Vec<String> = Vec::new();
    words.extend(instance_of(&object.name).map(str::to_owned));
    words.extend(object.labels.get(keys::SOURCE_UID).cloned());
    for owner in &object.owners {
        words.push(owner.name.clone());
        words.push(owner.uid.clone());
    }
    let link = object.annotations.get(keys::LINK).and_then(|v| v.split_once('/'));
    words.extend(link.map(|(_, name)| format!("link/{name}")));
    words.sort();
    words.dedup();
    words.into_iter().map(|word| (Arc::clone(&namespace), word)).collect()
}

/// The same of an environment, which also names each link that has an entry.
pub(crate) fn mentions_of_environment(found: &Observed<Environment>) -> Vec<Mention> {
    let mut mentions = mentions(found);
    let namespace: Arc<str> = found.object.namespace.as_str().into();
    let entries = found.object.entries().into_keys();
    mentions.extend(entries.map(|uid| (Arc::clone(&namespace), uid.to_owned())));
    mentions
}

/// The links that a shared child concerns: all of the source.
pub(crate) fn extend<'a>(links: &LinkStore, mentions: impl Iterator<Item = &'a Mention>, affected: &mut Affected) {
    for (namespace, word) in mentions {
        affected.extend(links.of_source(namespace, word), Cause::Change);
        affected.extend(links.by_uid.get(word), Cause::Change);
        if let Some(name) = word.strip_prefix("link/") {
            let name = ObjectName::within(namespace, name);
            if let Some(link) = links.table.get(&name) {
                affected.extend(links.by_source.get(&source_key(&link.object())), Cause::Change);
            }
        }
    }
}

/// Notes a child of ours whose link nobody knows: an operator that led before may have written it late.
pub(crate) fn note_stray<T>(links: &LinkStore, found: Option<&Observed<T>>, who: Who, affected: &mut Affected) {
    let Some(found) = found.filter(|found| who == Who::Others && found.is_managed()) else {
        return;
    };
    let named = found.object.annotations.get(keys::LINK).and_then(|v| v.split_once('/'));
    let is_known = match found.label(keys::LINK_UID) {
        Some(uid) => links.by_uid.contains_key(uid),
        None => named.is_some_and(|(namespace, name)| links.table.get(&ObjectName::new(namespace, name)).is_some()),
    };
    affected.strays |= !is_known;
}

/// True where more than the resourceVersion changed.
pub(crate) fn differs<T: PartialEq>(old: Option<&Observed<T>>, new: Option<&Observed<T>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.uid != new.uid || old.terminating != new.terminating || old.object != new.object,
        (None, None) => false,
        _ => true,
    }
}
