//! The other links of a link's source, as far as its decisions depend on them. A source may have thousands of links, and a
//! link must not cost more the more siblings it has. So only these are in a snapshot:
//!
//! - those that compete for the alias or the directory;
//! - those that have entries in an environment of the source, or that a shared child names;
//! - those whose children may or may not have been written;
//! - those whose labels and annotations are on the shared children;
//! - one other sibling that has or needs children, which keeps the directory. Any one will do.

use std::collections::BTreeSet;

use instancelink_api::{InstanceLink, State, keys};
use instancelink_core::child::{Children, DesiredChild};
use instancelink_core::snapshot::Sibling;

use crate::index::Index;
use crate::index::link_keys::source_key;
use crate::index::links::CachedLink;
use crate::name::{LinkKey, ObjectName, SourceKey};

/// The siblings that matter for a link with these children.
pub(super) fn siblings_of(
    index: &Index,
    (key, cached): (&LinkKey, &CachedLink),
    link: &InstanceLink,
    children: &Children,
    unconfirmed: &[DesiredChild],
) -> Vec<Sibling> {
    let source = source_key(link);
    let mut siblings: BTreeSet<&LinkKey> = index.links.rivals(key, &source, cached).collect();
    let named = of_children(index, children).chain(of_unconfirmed(index, unconfirmed));
    // A child may name links of another source, too, and those are no siblings.
    siblings.extend(named.filter(|other| index.links.by_source.has(&source, other)));
    siblings.extend(index.links.that_count_beside(key, &source, cached));
    siblings.extend(any_that_needs_the_directory(index, key, &source, cached));
    siblings.remove(key);
    let found = siblings
        .into_iter()
        .filter_map(|key| Some((key, index.links.table.get(key)?)));
    found
        .map(|(key, sibling)| Sibling {
            object: sibling.object(&index.recent),
            has_children: index.count_claims(&key.namespace, &sibling.uid) > 0,
        })
        .collect()
}

/// The links that the shared children name, by entries or by path.
fn of_children<'a>(index: &'a Index, children: &Children) -> impl Iterator<Item = &'a LinkKey> {
    let environments = children.environments.iter();
    let entries = environments
        .clone()
        .flat_map(|found| found.object.entries().into_keys());
    let by_uid = entries.filter_map(|uid| index.links.by_uid.get(uid));
    let directories = children.directories.iter().map(|found| &found.object.annotations);
    let annotations = directories.chain(environments.map(|found| &found.object.annotations));
    let by_path = annotations.filter_map(|annotations| {
        let (namespace, name) = annotations.get(keys::LINK)?.split_once('/')?;
        index.links.table.name(&ObjectName::new(namespace, name))
    });
    by_uid.chain(by_path)
}

/// The links of children of which it is not known whether they were written.
fn of_unconfirmed<'a>(index: &'a Index, unconfirmed: &[DesiredChild]) -> impl Iterator<Item = &'a LinkKey> {
    let uids = unconfirmed.iter().flat_map(|child| match child {
        DesiredChild::Slice(slice) => slice
            .labels
            .get(keys::LINK_UID)
            .map(String::as_str)
            .into_iter()
            .collect(),
        DesiredChild::Environment(environment) => environment.entries().into_keys().collect(),
        DesiredChild::Directory(_)
        | DesiredChild::VirtualIp(_)
        | DesiredChild::Policy(_)
        | DesiredChild::Binding(_) => Vec::new(),
    });
    uids.filter_map(|uid| index.links.by_uid.get(uid))
}

/// A sibling of the same kind of source that has or needs children. Those of other kinds compete, and so are there anyway.
fn any_that_needs_the_directory<'a>(
    index: &'a Index,
    key: &LinkKey,
    source: &SourceKey,
    cached: &CachedLink,
) -> Option<&'a LinkKey> {
    index.links.by_source.get(source).find(|other| {
        let sibling = index
            .links
            .table
            .get(other)
            .filter(|sibling| sibling.source_kind == cached.source_kind);
        *other != key
            && sibling.is_some_and(|sibling| {
                let wants = matches!(sibling.state, State::Activating | State::Active | State::UpdatingActive);
                wants || index.count_claims(&other.namespace, &sibling.uid) > 0
            })
    })
}
