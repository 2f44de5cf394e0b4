//! What the caches show about possible orphans. Nothing here decides that a child is one.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::keys;
use instancelink_cluster::index::mentions::instance_of;
use instancelink_cluster::{Index, ObjectName, SourceKey};
use instancelink_core::child::{Key, Kind, ObservedChild};
use instancelink_core::sweep::{KnownLinks, live_check};

use super::requests::Scope;

/// The children to check. Whether the API server has to be asked about one is decided right before its check.
pub(super) fn candidates(index: &Index, scope: &Scope) -> BTreeSet<Key> {
    let mut keys: BTreeSet<Key> = scope.children.iter().cloned().collect();
    let mut add = |kind: Kind, name: &ObjectName| {
        keys.insert(Key {
            kind,
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
        });
    };
    for gone in &scope.gone {
        let (namespace, instance) = &gone.source;
        let words = [instance.clone(), gone.uid.clone(), format!("link/{}", gone.name.name)];
        index
            .slices
            .by_link
            .get(gone.uid.as_str())
            .for_each(|name| add(Kind::Slice, name));
        let policies = index.policies.by_link.get(gone.uid.as_str());
        policies.for_each(|name| add(Kind::Policy, name));
        for mention in words.map(|word| (Arc::clone(namespace), word)) {
            for name in index.services.children.get(&mention) {
                if let Some(child) = index.services.child(name) {
                    add(child.key().kind, name);
                }
            }
            index
                .environments
                .by_mention
                .get(&mention)
                .for_each(|name| add(Kind::Environment, name));
            index
                .secrets
                .by_mention
                .get(&mention)
                .for_each(|name| add(Kind::Binding, name));
        }
    }
    if scope.everything {
        let known: KnownLinks = index.links.table.iter().map(|(_, link)| link.peek()).collect();
        let needs_check = |child: &ObservedChild| live_check(child, &known).is_some();
        for (name, slice) in index.slices.table.iter() {
            if needs_check(&ObservedChild::Slice((*slice.child.peek()).clone())) {
                add(Kind::Slice, name);
            }
        }
        for (name, policy) in index.policies.table.iter() {
            if policy
                .child()
                .is_some_and(|found| needs_check(&ObservedChild::Policy(found.clone())))
            {
                add(Kind::Policy, name);
            }
        }
        for (name, service) in index.services.table.iter() {
            if let Some(child) = service.child.as_ref().filter(|child| needs_check(child)) {
                add(child.key().kind, name);
            }
        }
        for (name, secret) in index.secrets.iter() {
            if needs_check(&ObservedChild::Binding((**secret).clone())) {
                add(Kind::Binding, name);
            }
        }
        for (name, environment) in index.environments.table.iter() {
            if needs_check(&ObservedChild::Environment((*environment.peek()).clone())) {
                add(Kind::Environment, name);
            }
        }
    }
    keys
}

/// A child as the caches show it.
pub(super) fn observed_child(index: &Index, key: &Key) -> Option<ObservedChild> {
    let name = ObjectName::new(&key.namespace, &key.name);
    match key.kind {
        Kind::Slice => index
            .slices
            .table
            .get(&name)
            .map(|s| ObservedChild::Slice((*s.child.get(&index.recent)).clone())),
        Kind::Directory | Kind::VirtualIp => index.services.child(&name).cloned(),
        Kind::Policy => index.policies.child(&name).cloned().map(ObservedChild::Policy),
        Kind::Binding => index.secrets.get(&name).map(|s| ObservedChild::Binding((**s).clone())),
        Kind::Environment => index
            .environments
            .table
            .get(&name)
            .map(|e| ObservedChild::Environment((*e.get(&index.recent)).clone())),
    }
}

/// The links that a child may belong to: those of its namespace, or for a policy the link that it names.
pub(super) fn known_links(index: &Index, key: &Key) -> KnownLinks {
    if key.kind == Kind::Policy {
        let name = ObjectName::new(&key.namespace, &key.name);
        let policy = index.policies.child(&name);
        let uid = policy.and_then(|found| found.label(keys::LINK_UID));
        let link = uid.and_then(|uid| index.links.table.get(index.links.by_uid.get(uid)?));
        return link.map(|link| link.peek()).into_iter().collect();
    }
    let first = (key.namespace.as_str().into(), String::new());
    index
        .links
        .by_source
        .from(first)
        .take_while(|((namespace, _), _)| **namespace == *key.namespace)
        .flat_map(|(_, links)| links)
        .filter_map(|name| index.links.table.get(name))
        .map(|link| link.peek())
        .collect()
}

/// The source whose links share a child; none for a child of one link.
pub(super) fn source_of(index: &Index, key: &Key) -> Option<SourceKey> {
    if !key.kind.is_shared() {
        return None;
    }
    let child = observed_child(index, key)?;
    let instance = child.owners().first().map(|owner| owner.name.clone());
    let instance = instance.or_else(|| instance_of(&key.name).map(str::to_owned))?;
    Some((key.namespace.as_str().into(), instance))
}
