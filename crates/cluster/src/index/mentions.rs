//! The words in a child from which its links are found: labels, owners, annotations and names.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::names::link_in;
use instancelink_core::child::{ChildKind, Environment, MOST_ENTRIES, Observed};
use instancelink_core::marks::{claims, is_shared_child, sources_in};

/// The namespace of a child, and a word in the child from which its links are found: the name of an instance, the UID
/// of an instance or of a link, or `link/` and the name of a link.
pub type Mention = (Arc<str>, String);

/// The instance whose directory has this name.
pub fn instance_of(directory: &str) -> Option<&str> {
    directory.strip_suffix("-links").filter(|name| !name.is_empty())
}

/// The UIDs of the links that a child was created for, by its marks. None for an object of others.
pub(crate) fn links_of<T: ChildKind>(found: &Observed<T>) -> Vec<String> {
    claims(found).into_iter().filter_map(|claim| claim.uid).collect()
}

/// The same, each in the namespace of the child: the namespace of its link, for all kinds but policies.
pub(crate) fn links_beside<T: ChildKind>(namespace: &Arc<str>, found: &Observed<T>) -> Vec<Mention> {
    let links = links_of(found).into_iter();
    links.map(|uid| (Arc::clone(namespace), uid)).collect()
}

/// The mentions of a child that belongs to one link: the UID by its marks, and its name. A foreign object with the name of a
/// child has the name.
pub(crate) fn mentions_of_own<T: ChildKind>(found: &Observed<T>) -> Vec<Mention> {
    let object = &found.object;
    let namespace: Arc<str> = object.namespace.as_str().into();
    let mut mentions = links_beside(&namespace, found);
    mentions.extend(link_in(T::KIND, &object.name).map(|name| (namespace, format!("link/{name}"))));
    mentions
}

/// The mentions of a child that all links of a source share.
pub(crate) fn mentions<T>(found: &Observed<T>) -> Vec<Mention> {
    let object = &found.object;
    let namespace: Arc<str> = object.namespace.as_str().into();
    let mut words: Vec<String> = Vec::new();
    words.extend(instance_of(&object.name).map(str::to_owned));
    words.extend(object.labels.get(keys::SOURCE_UID).cloned());
    // An owner that is a link gives it no claim.
    for owner in object.owners.iter().filter(|owner| owner.kind != keys::KIND) {
        words.push(owner.name.clone());
        words.push(owner.uid.clone());
    }
    words.extend(sources_in(found).map(|(_, name)| name.to_owned()));
    let link = object.annotations.get(keys::LINK).and_then(|v| v.split_once('/'));
    words.extend(link.map(|(_, name)| format!("link/{name}")));
    words.sort();
    words.dedup();
    words.into_iter().map(|word| (Arc::clone(&namespace), word)).collect()
}

/// The mentions of an environment. It also mentions each link that has an entry.
pub(crate) fn mentions_of_environment(found: &Observed<Environment>) -> Vec<Mention> {
    let mut mentions = mentions(found);
    let namespace: Arc<str> = found.object.namespace.as_str().into();
    let entries = found.object.entries().into_keys().filter(|_| is_shared_child(found));
    // The operator writes no environment with more. Each takes some memory.
    let entries = entries.take(MOST_ENTRIES);
    mentions.extend(entries.map(|uid| (Arc::clone(&namespace), uid.to_owned())));
    mentions
}

/// True if more than the resourceVersion changed.
pub(crate) fn differs<T: PartialEq>(old: Option<&Observed<T>>, new: Option<&Observed<T>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let fate = |found: &Observed<T>| (found.terminating, found.held_since);
            old.uid != new.uid || fate(old) != fate(new) || old.object != new.object
        }
        (None, None) => false,
        _ => true,
    }
}
