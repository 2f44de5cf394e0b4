//! NetworkPolicies, in two views: those of ours, by link, and those of others that isolate pods.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::{Observed, Policy};
use instancelink_core::resolve::isolation::isolates;
use instancelink_core::snapshot::Isolator;
use k8s_openapi::api::networking::v1::NetworkPolicy;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::ObjectName;
use super::shared;
use super::table::{Change, Item, Table};
use super::wire::Wire;

/// A NetworkPolicy as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CachedPolicy {
    uid: String,
    resource_version: String,
    role: Role,
}

impl CachedPolicy {
    /// It, where it is ours.
    pub(crate) fn child(&self) -> Option<&Observed<Policy>> {
        match &self.role {
            Role::Ours(found) => Some(found),
            Role::Isolator(_) | Role::None => None,
        }
    }
}

/// What a NetworkPolicy is to links.
#[derive(Clone, Debug, PartialEq)]
enum Role {
    /// A link's own.
    Ours(Box<Observed<Policy>>),
    /// Another's that isolates pods.
    Isolator(Arc<Isolator>),
    /// Another's that does not.
    None,
}

/// All NetworkPolicies.
#[derive(Debug, Default)]
pub(crate) struct PolicyStore {
    pub(crate) table: Table<CachedPolicy>,
    /// Ours by the UIDs they bear.
    pub(crate) by_link: Groups<String>,
    isolators: Groups<Arc<str>>,
}

impl PolicyStore {
    /// Those of others that isolate pods of a namespace.
    pub(crate) fn isolators_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Isolator>> + use<'a> {
        let names = self.isolators.get(namespace);
        names.filter_map(|name| match &self.table.get(name)?.role {
            Role::Isolator(isolator) => Some(isolator),
            Role::Ours(_) | Role::None => None,
        })
    }

    /// One of ours.
    pub(crate) fn child(&self, name: &ObjectName) -> Option<&Observed<Policy>> {
        self.table.get(name)?.child()
    }
}

impl Item for CachedPolicy {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of NetworkPolicies.
pub(crate) struct Policies;

impl Watched for Policies {
    type Raw = Wire<NetworkPolicy>;
    type Item = CachedPolicy;
    const KIND: &'static str = "NetworkPolicy";

    fn reduce(raw: Wire<NetworkPolicy>) -> CachedPolicy {
        let raw = raw.object;
        let uid = raw.metadata.uid.clone().unwrap_or_default();
        let resource_version = raw.metadata.resource_version.clone().unwrap_or_default();
        let labels = raw.metadata.labels.as_ref();
        let is_labelled = labels.is_some_and(|l| {
            l.contains_key(keys::LINK_UID) && l.get(keys::MANAGED_BY).is_some_and(|m| m == keys::MANAGER)
        });
        let mut owners = raw.metadata.owner_references.iter().flatten();
        let is_owned = owners.any(|owner| owner.kind == keys::KIND);
        CachedPolicy {
            uid,
            resource_version,
            role: if is_labelled || is_owned {
                Role::Ours(Box::new(Observed::from(raw)))
            } else {
                isolator_of(raw).map_or(Role::None, |isolator| Role::Isolator(Arc::new(isolator)))
            },
        }
    }

    fn table(index: &mut Index) -> &mut Table<CachedPolicy> {
        &mut index.policies.table
    }

    fn changed(index: &mut Index, change: &Change<CachedPolicy>, who: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        shared::note_stray(&index.links, new.and_then(CachedPolicy::child), who, affected);
        let links = |policy: Option<&CachedPolicy>| {
            let child = policy.and_then(CachedPolicy::child);
            child.map(shared::links_of).unwrap_or_default()
        };
        let (before, after) = (links(old), links(new));
        index.policies.by_link.update(&change.name, &before, &after);
        let namespace = &change.name.namespace;
        let isolating = |policy: Option<&CachedPolicy>| match policy.map(|p| &p.role) {
            Some(Role::Isolator(_)) => vec![Arc::clone(namespace)],
            Some(Role::Ours(_) | Role::None) | None => Vec::new(),
        };
        index
            .policies
            .isolators
            .update(&change.name, &isolating(old), &isolating(new));
        if who == Who::Us || same(old.map(|p| &p.role), new.map(|p| &p.role)) {
            return;
        }
        for uid in before.iter().chain(&after) {
            affected.extend(index.links.by_uid.get(uid), Cause::Change);
        }
        if isolating(old) != isolating(new) || !isolating(new).is_empty() {
            affected.extend(index.links.with_policy_in(namespace), Cause::Change);
        }
    }
}

/// A new resourceVersion alone is no difference.
fn same(old: Option<&Role>, new: Option<&Role>) -> bool {
    match (old, new) {
        (Some(Role::Ours(old)), Some(Role::Ours(new))) => !shared::differs(Some(old.as_ref()), Some(new.as_ref())),
        (old, new) => old == new,
    }
}

fn isolator_of(raw: NetworkPolicy) -> Option<Isolator> {
    let spec = raw.spec.filter(isolates)?;
    Some(Isolator {
        namespace: raw.metadata.namespace.unwrap_or_default(),
        name: raw.metadata.name.unwrap_or_default(),
        pods: spec.pod_selector.unwrap_or_default(),
    })
}
