//! The order of a sweep: portions that one question may judge together, and turns for namespaces, so that many orphans of one
//! tenant do not delay those of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use instancelink_core::child::Key;

/// How many shared children are checked together: their sources are locked meanwhile.
const SHARED: usize = 64;
/// How many other children are checked together.
const OWN: usize = 512;

/// Children that are checked together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// They belong to links of a source, and all are in one namespace.
    pub(super) is_shared: bool,
    pub(super) keys: Vec<Key>,
}

/// All children, in portions. Namespaces take turns. Children of one link each are in portions over all namespaces, since one
/// list of links may judge them all.
pub(super) fn portions_of(keys: BTreeSet<Key>) -> Vec<Portion> {
    let (shared, own): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(|key| key.kind.is_shared());
    let own = in_turns(own);
    let mut portions: Vec<Portion> = own.chunks(OWN).map(|keys| portion(false, keys)).collect();
    let of_namespaces = by_namespace(shared);
    let mut of_namespaces: VecDeque<Vec<Portion>> = of_namespaces
        .into_values()
        .map(|keys| keys.chunks(SHARED).map(|keys| portion(true, keys)).rev().collect())
        .collect();
    while let Some(mut rest) = of_namespaces.pop_front() {
        portions.extend(rest.pop());
        if !rest.is_empty() {
            of_namespaces.push_back(rest);
        }
    }
    portions
}

fn portion(is_shared: bool, keys: &[Key]) -> Portion {
    Portion {
        is_shared,
        keys: keys.to_vec(),
    }
}

/// The first of each namespace, then the second of each, and so on.
fn in_turns(keys: Vec<Key>) -> Vec<Key> {
    let mut ranked: Vec<(usize, Key)> = Vec::with_capacity(keys.len());
    for keys in by_namespace(keys).into_values() {
        ranked.extend(keys.into_iter().enumerate());
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, key)| key).collect()
}

fn by_namespace(keys: Vec<Key>) -> BTreeMap<String, Vec<Key>> {
    let mut namespaces: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    for key in keys {
        namespaces.entry(key.namespace.clone()).or_default().push(key);
    }
    namespaces
}

#[cfg(test)]
mod tests {
    use instancelink_core::child::Kind;

    use super::*;

    fn keys(kind: Kind, namespace: &str, count: usize) -> impl Iterator<Item = Key> {
        (0..count).map(move |number| Key {
            kind,
            namespace: namespace.to_owned(),
            name: format!("{number:05}"),
        })
    }

    #[test]
    fn many_orphans_of_one_namespace_do_not_come_before_those_of_another() {
        let all = keys(Kind::Policy, "a", 1000).chain(keys(Kind::Slice, "z", 2));
        let portions = portions_of(all.collect());
        let first: Vec<&str> = portions[0].keys.iter().map(|key| key.namespace.as_str()).collect();
        assert_eq!(first[..4], ["a", "z", "a", "z"]);
        assert_eq!(portions.iter().map(|portion| portion.keys.len()).sum::<usize>(), 1002);
        let shared = keys(Kind::Directory, "a", 1000).chain(keys(Kind::Environment, "z", 2));
        let portions = portions_of(shared.collect());
        assert_eq!(portions[1].keys[0].namespace, "z");
        let is_of_one = |portion: &Portion| {
            portion
                .keys
                .iter()
                .all(|key| key.namespace == portion.keys[0].namespace)
        };
        assert!(portions.iter().all(|portion| portion.is_shared && is_of_one(portion)));
    }
}
