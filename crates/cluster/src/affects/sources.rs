//! The links of the sources that a shared child mentions.

use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::link_keys::source_key;
use crate::index::mentions::Mention;
use crate::name::ObjectName;

/// Adds the links that a shared child concerns: all links of the sources, and the links, that it mentions.
pub(super) fn extend<'a>(index: &Index, mentions: impl Iterator<Item = &'a Mention>, affected: &mut Affected) {
    let links = &index.links;
    for (namespace, word) in mentions {
        affected.extend(links.of_source(namespace, word), Cause::Change);
        // An object of another namespace may mention any UID.
        let named = links.by_uid.get(word.as_str());
        affected.extend(named.filter(|link| link.namespace == *namespace), Cause::Change);
        if let Some(name) = word.strip_prefix("link/")
            && let Some(link) = index.link(&ObjectName::within(namespace, name))
        {
            affected.extend(links.by_source.get(&source_key(&link)), Cause::Change);
        }
    }
}
