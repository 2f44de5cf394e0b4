//! Which children may be orphans: their links are not in the caches. Nothing here decides that a child is one: core asks
//! the API server first, and the operator's sweep drives both.
//!
//! A search through all children goes in portions, so that no event waits for long. What it needs of slices, policies and
//! Secrets is in the lookups, and so uncompressed; an environment is parsed outside of the lock.

mod search;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_core::child::names;
use instancelink_core::child::{Key, Kind, Observed, ObservedChild};
use instancelink_core::marks::{named_in, sources_in};
use instancelink_core::sweep::{KnownLinks, LiveCheck, live_check};

use crate::affected::GoneLink;
use crate::index::Index;
use crate::index::mentions::instance_of;
use crate::index::owners;
use crate::name::{ObjectName, SourceKey};

pub use search::OrphanSearch;

/// A child as the caches show it.
pub fn observed_child(index: &Index, key: &Key) -> Option<ObservedChild> {
    let name = ObjectName::new(&key.namespace, &key.name);
    match key.kind {
        Kind::Slice => {
            let slice = index.slices.table.get(&name)?;
            Some(ObservedChild::Slice((*slice.child.peek()).clone()))
        }
        Kind::Directory | Kind::VirtualIp => index.services.child(&name).cloned(),
        Kind::Policy => index.policies.child(&name).cloned().map(ObservedChild::Policy),
        Kind::Binding => index
            .secrets
            .get(&name)
            .map(|found| ObservedChild::Binding((**found).clone())),
        Kind::Environment => {
            let environment = index.environments.table.get(&name)?;
            Some(ObservedChild::Environment((*environment.peek()).clone()))
        }
    }
}

/// What the API server has to be asked about a child; nothing if its links are in the caches.
pub fn check(index: &Index, child: &ObservedChild) -> Option<LiveCheck> {
    live_check(child, &known_links(index, child))
}

/// Of the links that a child names, those that are in the caches. No other link matters for it.
fn known_links(index: &Index, child: &ObservedChild) -> KnownLinks {
    let peek = |name: &ObjectName| Some(index.links.table.get(name)?.peek());
    let of_source = |named: Option<(&str, &str)>| {
        let named = named.and_then(|(namespace, name)| peek(&ObjectName::new(namespace, name)));
        named.into_iter().collect::<KnownLinks>()
    };
    let entries = match child {
        ObservedChild::Slice(found) => return owners::links_of(&index.links, found).filter_map(peek).collect(),
        ObservedChild::VirtualIp(found) => return owners::links_of(&index.links, found).filter_map(peek).collect(),
        ObservedChild::Policy(found) => return owners::links_of(&index.links, found).filter_map(peek).collect(),
        ObservedChild::Binding(found) => return owners::links_of(&index.links, found).filter_map(peek).collect(),
        ObservedChild::Directory(found) => return of_source(named_in(found)),
        ObservedChild::Environment(found) => found,
    };
    let mut known = of_source(named_in(entries));
    let uids = entries.object.entries().into_keys();
    known.add_uids(uids.filter(|uid| index.links.by_uid.contains_key(*uid)));
    known
}

/// What links that are gone may have left. Each child is checked before anything is done about it.
pub fn left_by(index: &Index, gone: &[GoneLink]) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for link in gone {
        let (namespace, instance) = &link.source;
        let slices = index.slices.by_link.get(&(Arc::clone(namespace), link.uid.clone()));
        keys.extend(slices.map(|name| key_of(Kind::Slice, name)));
        for policy in [names::policy, names::egress] {
            let policies = index.policies.by_name.get(policy(&link.name.name, &link.uid).as_str());
            keys.extend(policies.map(|name| key_of(Kind::Policy, name)));
        }
        let words = [instance.clone(), link.uid.clone(), format!("link/{}", link.name.name)];
        for mention in words.map(|word| (Arc::clone(namespace), word)) {
            let services = index.services.children.get(&mention);
            keys.extend(services.filter_map(|name| Some(index.services.child(name)?.key())));
            let environments = index.environments.by_mention.get(&mention);
            keys.extend(environments.map(|name| key_of(Kind::Environment, name)));
            let secrets = index.secrets.by_mention.get(&mention);
            keys.extend(secrets.map(|name| key_of(Kind::Binding, name)));
        }
    }
    keys
}

/// The source whose links share a child; none for a child of one link.
pub fn source_of(index: &Index, key: &Key) -> Option<SourceKey> {
    let source = match observed_child(index, key)? {
        ObservedChild::Slice(_)
        | ObservedChild::VirtualIp(_)
        | ObservedChild::Policy(_)
        | ObservedChild::Binding(_) => return None,
        ObservedChild::Directory(found) => named_source(&found),
        ObservedChild::Environment(found) => named_source(&found),
    };
    let instance = source.or_else(|| instance_of(&key.name).map(str::to_owned))?;
    Some((key.namespace.as_str().into(), instance))
}

fn named_source<T>(found: &Observed<T>) -> Option<String> {
    sources_in(found).next().map(|(_, name)| name.to_owned())
}

fn key_of(kind: Kind, name: &ObjectName) -> Key {
    Key {
        kind,
        namespace: name.namespace.to_string(),
        name: name.name.to_string(),
    }
}
