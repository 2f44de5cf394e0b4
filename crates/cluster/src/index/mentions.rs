//! The words in a child from which its links are found: labels, owners, annotations and names.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::{Environment, Observed};

/// The namespace of a child, and a word in the child from which its links are found: the name of an instance, the UID
/// of an instance or of a link, or `link/` and the name of a link.
pub type Mention = (Arc<str>, String);

/// The instance whose directory has this name.
pub fn instance_of(directory: &str) -> Option<&str> {
    directory.strip_suffix("-links").filter(|name| !name.is_empty())
}

/// The link whose virtual IP has this name.
pub(crate) fn link_of(virtual_ip: &str) -> Option<&str> {
    virtual_ip.strip_suffix("-vip").filter(|name| !name.is_empty())
}

/// The UIDs of the links in the label and the owners of a child that belongs to one link. It reads both, because a user
/// may remove one of them.
pub(crate) fn links_of<T>(found: &Observed<T>) -> Vec<String> {
    let owners = found.object.owners.iter();
    let owners = owners.filter(|o| o.kind == keys::KIND).map(|o| o.uid.clone());
    let label = found.label(keys::LINK_UID).map(str::to_owned);
    let mut links: Vec<String> = label.into_iter().chain(owners).collect();
    links.sort();
    links.dedup();
    links
}

/// The mentions of a child that belongs to one link: labels, owners and the name.
pub(crate) fn mentions_of_own<T>(found: &Observed<T>) -> Vec<Mention> {
    let namespace: Arc<str> = found.object.namespace.as_str().into();
    let mut words = links_of(found);
    words.extend(link_of(&found.object.name).map(|name| format!("link/{name}")));
    words.into_iter().map(|word| (Arc::clone(&namespace), word)).collect()
}

/// The mentions of a child that all links of a source share.
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

/// The mentions of an environment. It also mentions each link that has an entry.
pub(crate) fn mentions_of_environment(found: &Observed<Environment>) -> Vec<Mention> {
    let mut mentions = mentions(found);
    let namespace: Arc<str> = found.object.namespace.as_str().into();
    let entries = found.object.entries().into_keys();
    mentions.extend(entries.map(|uid| (Arc::clone(&namespace), uid.to_owned())));
    mentions
}

/// True if more than the resourceVersion changed.
pub(crate) fn differs<T: PartialEq>(old: Option<&Observed<T>>, new: Option<&Observed<T>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.uid != new.uid || old.terminating != new.terminating || old.object != new.object,
        (None, None) => false,
        _ => true,
    }
}
