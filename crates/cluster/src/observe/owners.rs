//! Which owners of the shared children exist.

use std::collections::BTreeSet;

use instancelink_api::keys;
use instancelink_core::child::{Children, Owner};
use instancelink_core::resolve::scaled_kinds::scalable;

use crate::index::Index;
use crate::index::link_keys::source_key;
use crate::index::source_kind::{KINDS, workload_kind};
use crate::name::{LinkKey, ObjectName};

/// UIDs of owners of the shared children that exist: named by owner reference, or by label if that is lost.
pub(super) fn living_owners(index: &Index, key: &LinkKey, children: &Children) -> BTreeSet<String> {
    let directories = children
        .directories
        .iter()
        .map(|d| (&d.object.owners, d.label(keys::SOURCE_UID)));
    let environments = children
        .environments
        .iter()
        .map(|e| (&e.object.owners, e.label(keys::SOURCE_UID)));
    let mut living = BTreeSet::new();
    for (owners, label) in directories.chain(environments) {
        living.extend(
            owners
                .iter()
                .filter(|owner| is_alive(index, key, owner))
                .map(|owner| owner.uid.clone()),
        );
        living.extend(label.filter(|uid| source_lives(index, key, uid)).map(str::to_owned));
    }
    living
}

fn is_alive(index: &Index, key: &LinkKey, owner: &Owner) -> bool {
    let name = ObjectName::new(&key.namespace, &owner.name);
    if let Some(kind) = scalable(&owner.api_version, &owner.kind) {
        return index.scaled.may_live(&kind, &name, &owner.uid);
    }
    match workload_kind(&owner.kind) {
        Some(kind) => index.workloads.of(kind).get(&name).is_some_and(|w| w.uid == owner.uid),
        None => index
            .pods
            .table
            .get(&name)
            .is_some_and(|p| owner.kind == "Pod" && p.uid == owner.uid),
    }
}

/// A label names a source by UID alone. It can only be a source with the name of this link's source.
fn source_lives(index: &Index, key: &LinkKey, uid: &str) -> bool {
    let Some(link) = index.links.table.get(key) else {
        return false;
    };
    let (_, instance) = source_key(&link.object(&index.recent));
    let name = ObjectName::new(&key.namespace, &instance);
    KINDS
        .iter()
        .any(|kind| index.workloads.of(*kind).get(&name).is_some_and(|w| w.uid == uid))
        || index.pods.table.get(&name).is_some_and(|pod| pod.uid == uid)
        || index.scaled.lives(&name, uid)
}
