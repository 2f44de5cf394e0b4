//! NetworkPolicies, in two views: the policies of links, by link, and the foreign ones that isolate pods.

use std::sync::Arc;

use instancelink_api::keys;
use instancelink_core::child::{Observed, Policy};
use instancelink_core::resolve::isolation::isolates;
use instancelink_core::snapshot::Isolator;
use k8s_openapi::api::networking::v1::NetworkPolicy;

use super::mentions::links_of;
use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::table::{Change, Item, Table};

/// A NetworkPolicy as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedPolicy {
    uid: String,
    resource_version: String,
    pub(crate) role: Role,
}

/// What a NetworkPolicy means to links.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Role {
    /// It belongs to a link.
    Ours(Box<Observed<Policy>>),
    /// It is foreign, and isolates pods.
    Isolator(Arc<Isolator>),
    /// It is foreign, and does not.
    None,
}

impl CachedPolicy {
    pub(crate) fn of(raw: NetworkPolicy) -> Self {
        let uid = raw.metadata.uid.clone().unwrap_or_default();
        let resource_version = raw.metadata.resource_version.clone().unwrap_or_default();
        let labels = raw.metadata.labels.as_ref();
        let is_labelled = labels.is_some_and(|l| {
            l.contains_key(keys::LINK_UID) && l.get(keys::MANAGED_BY).is_some_and(|m| m == keys::MANAGER)
        });
        let mut owners = raw.metadata.owner_references.iter().flatten();
        let is_owned = owners.any(|owner| owner.kind == keys::KIND);
        Self {
            uid,
            resource_version,
            role: if is_labelled || is_owned {
                Role::Ours(Box::new(Observed::from(raw)))
            } else {
                isolator_of(raw).map_or(Role::None, |isolator| Role::Isolator(Arc::new(isolator)))
            },
        }
    }

    /// The child, if it is the policy of a link.
    pub fn child(&self) -> Option<&Observed<Policy>> {
        match &self.role {
            Role::Ours(found) => Some(found),
            Role::Isolator(_) | Role::None => None,
        }
    }

    /// The UIDs of its links, if it is the policy of a link.
    pub(crate) fn links(&self) -> Vec<String> {
        self.child().map(links_of).unwrap_or_default()
    }

    /// True if it is foreign and isolates pods.
    pub(crate) fn is_isolating(&self) -> bool {
        matches!(self.role, Role::Isolator(_))
    }
}

fn isolator_of(raw: NetworkPolicy) -> Option<Isolator> {
    let spec = raw.spec.filter(isolates)?;
    Some(Isolator {
        namespace: raw.metadata.namespace.unwrap_or_default(),
        name: raw.metadata.name.unwrap_or_default(),
        pods: spec.pod_selector.unwrap_or_default().into(),
    })
}

/// All NetworkPolicies.
#[derive(Debug, Default)]
pub struct PolicyStore {
    /// The policies themselves.
    pub table: Table<CachedPolicy>,
    /// The policies of links, by the UIDs of the links.
    pub by_link: Groups<String>,
    isolators: Groups<Arc<str>>,
}

impl PolicyStore {
    /// The foreign ones that isolate pods of a namespace.
    pub fn isolators_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Isolator>> + use<'a> {
        let names = self.isolators.get(namespace);
        names.filter_map(|name| match &self.table.get(name)?.role {
            Role::Isolator(isolator) => Some(isolator),
            Role::Ours(_) | Role::None => None,
        })
    }

    /// The policy of a link with this name.
    pub fn child(&self, name: &ObjectName) -> Option<&Observed<Policy>> {
        self.table.get(name)?.child()
    }

    pub(crate) fn reindex(&mut self, change: &Change<CachedPolicy>) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let links = |policy: Option<&CachedPolicy>| policy.map(CachedPolicy::links).unwrap_or_default();
        self.by_link.update(&change.name, &links(old), &links(new));
        let namespaces = |policy: Option<&CachedPolicy>| {
            let isolating = policy.filter(|policy| policy.is_isolating());
            isolating
                .map(|_| Arc::clone(&change.name.namespace))
                .into_iter()
                .collect::<Vec<_>>()
        };
        self.isolators.update(&change.name, &namespaces(old), &namespaces(new));
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
