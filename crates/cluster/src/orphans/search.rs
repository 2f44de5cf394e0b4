//! The search through all children.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::vec;

use instancelink_core::child::{Key, Kind, ObservedChild};

use super::{check, key_of};
use crate::cache::Cache;
use crate::index::Index;
use crate::index::mentions::Mention;
use crate::name::{LinkKey, ObjectName};
use crate::store::groups::Groups;

/// How many entries of a lookup, or children, are looked at while the lock is held: some tens of microseconds.
const PORTION: usize = 64;

/// A search through all children for those whose links are not in the caches. The search does not find a child that
/// appears behind its position. The event of that child starts the next search.
#[derive(Debug)]
pub struct OrphanSearch(Stage);

/// The position of the search. It continues after the last key, even if that key does not exist any more.
#[derive(Debug)]
enum Stage {
    Slices(Option<Mention>),
    Policies(Option<Arc<str>>),
    Secrets(Option<Mention>),
    Services(Option<Mention>),
    Environments(Option<vec::IntoIter<ObjectName>>),
    Done,
}

impl Default for OrphanSearch {
    fn default() -> Self {
        Self(Stage::Slices(None))
    }
}

impl OrphanSearch {
    /// Looks at the next portion. Returns the children in it that have to be checked; nothing at the end.
    pub fn next(&mut self, cache: &Cache) -> Option<BTreeSet<Key>> {
        let mut found = BTreeSet::new();
        let next = match std::mem::replace(&mut self.0, Stage::Done) {
            Stage::Slices(last) => cache.read(|index| {
                let last = collect(
                    &index.slices.by_link,
                    last.as_ref(),
                    |mention, name| is_unknown(index, mention).then(|| key_of(Kind::Slice, name)),
                    &mut found,
                );
                last.map_or(Stage::Policies(None), |last| Stage::Slices(Some(last)))
            }),
            Stage::Policies(last) => cache.read(|index| {
                let last = collect(
                    &index.policies.by_name,
                    last.as_ref(),
                    |_, name| policy(index, name),
                    &mut found,
                );
                last.map_or(Stage::Secrets(None), |last| Stage::Policies(Some(last)))
            }),
            Stage::Secrets(last) => cache.read(|index| {
                let last = collect(
                    &index.secrets.by_mention,
                    last.as_ref(),
                    |mention, name| is_unknown(index, mention).then(|| key_of(Kind::Binding, name)),
                    &mut found,
                );
                last.map_or(Stage::Services(None), |last| Stage::Secrets(Some(last)))
            }),
            Stage::Services(last) => cache.read(|index| {
                let last = collect(
                    &index.services.children,
                    last.as_ref(),
                    |mention, name| service(index, mention, name),
                    &mut found,
                );
                last.map_or(Stage::Environments(None), |last| Stage::Services(Some(last)))
            }),
            Stage::Environments(names) => {
                let all =
                    || cache.read(|index| index.environments.table.iter().map(|(name, _)| name.clone()).collect());
                let mut names = names.unwrap_or_else(|| Vec::into_iter(all()));
                let portion: Vec<ObjectName> = names.by_ref().take(PORTION).collect();
                found = environments(cache, &portion);
                if portion.is_empty() {
                    Stage::Done
                } else {
                    Stage::Environments(Some(names))
                }
            }
            Stage::Done => return None,
        };
        self.0 = next;
        Some(found)
    }
}

/// Looks at a portion of a lookup. Returns its last key; none if it is the last portion.
fn collect<K: Ord + Clone>(
    groups: &Groups<K>,
    last: Option<&K>,
    candidate: impl Fn(&K, &ObjectName) -> Option<Key>,
    found: &mut BTreeSet<Key>,
) -> Option<K> {
    let mut seen = 0;
    for (key, names) in groups.after(last) {
        for name in names {
            seen += 1;
            found.extend(candidate(key, name));
        }
        if seen >= PORTION {
            return Some(key.clone());
        }
    }
    None
}

/// True for the UID of a link that is not in this namespace, as far as is known.
fn is_unknown(index: &Index, (namespace, word): &Mention) -> bool {
    let is_beside = |key: &LinkKey| key.namespace == *namespace;
    !word.starts_with("link/") && !index.links.by_uid.get(word.as_str()).is_some_and(is_beside)
}

/// The policy if it has to be checked.
fn policy(index: &Index, name: &ObjectName) -> Option<Key> {
    let child = ObservedChild::Policy(index.policies.child(name)?.clone());
    check(index, &child).is_some().then(|| child.key())
}

/// The Service if it has to be checked. Each mention of it leads here, so it is looked at only for one of them.
fn service(index: &Index, (_, word): &Mention, name: &ObjectName) -> Option<Key> {
    let child = index.services.child(name)?;
    let is_first = index.services.first_mention(name).is_none_or(|first| first == *word);
    (is_first && check(index, child).is_some()).then(|| child.key())
}

/// Those of the environments that have to be checked. They are parsed outside of the lock.
fn environments(cache: &Cache, names: &[ObjectName]) -> BTreeSet<Key> {
    let children = cache.read(|index| {
        let children = names
            .iter()
            .filter_map(|name| index.environments.table.get(name).cloned());
        children.collect::<Vec<_>>()
    });
    let parsed = children
        .iter()
        .map(|child| ObservedChild::Environment((*child.peek()).clone()));
    let parsed: Vec<ObservedChild> = parsed.collect();
    cache.read(|index| {
        let unknown = parsed.iter().filter(|child| check(index, child).is_some());
        unknown.map(ObservedChild::key).collect()
    })
}
