//! NetworkPolicies, in two views: the policies of links, by link, and the foreign ones that isolate pods.

use std::sync::Arc;

use instancelink_core::child::{Observed, Policy};
use instancelink_core::marks::claims;
use instancelink_core::resolve::isolation::isolates;
use instancelink_core::snapshot::Isolator;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};

use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::{OF_OTHERS, OF_OURS, Scale};
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
    pub(crate) fn of(mut raw: NetworkPolicy) -> Self {
        // A spec that cannot be read isolates nothing.
        let spec = raw.spec.take();
        let mut found = Observed::<Policy>::from(raw);
        let is_ours = !claims(&found).is_empty();
        Self {
            uid: found.uid.clone(),
            resource_version: found.resource_version.clone(),
            role: match spec {
                spec if is_ours => {
                    found.object.body = Policy::from(&spec.unwrap_or_default());
                    Role::Ours(Box::new(found))
                }
                Some(spec) => {
                    isolator_of(found, spec).map_or(Role::None, |isolator| Role::Isolator(Arc::new(isolator)))
                }
                None => Role::None,
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

    /// True if it is foreign and isolates pods.
    pub(crate) fn is_isolating(&self) -> bool {
        matches!(self.role, Role::Isolator(_))
    }
}

fn isolator_of(found: Observed<Policy>, spec: NetworkPolicySpec) -> Option<Isolator> {
    let spec = Some(spec).filter(isolates)?;
    Some(Isolator {
        namespace: found.object.namespace,
        name: found.object.name,
        pods: spec.pod_selector.unwrap_or_default().into(),
    })
}

/// All NetworkPolicies.
#[derive(Debug, Default)]
pub struct PolicyStore {
    /// The policies themselves.
    pub table: Table<CachedPolicy>,
    /// The policies of links, by their name: a link has at most one in each namespace, and its name has a hash of the
    /// link's UID.
    pub by_name: Groups<Arc<str>>,
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
        let names = |policy: Option<&CachedPolicy>| {
            let ours = policy.and_then(CachedPolicy::child);
            ours.map(|_| Arc::clone(&change.name.name))
                .into_iter()
                .collect::<Vec<_>>()
        };
        self.by_name.update(&change.name, &names(old), &names(new));
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

    fn weigh(&self, scale: &mut Scale) {
        match &self.role {
            Role::Ours(found) => {
                scale.add("spec", found.object.body.size());
                scale.add_child(found);
            }
            Role::Isolator(isolator) => scale.add("spec.podSelector", isolator.pods.size()),
            Role::None => {}
        }
    }

    fn limit(&self) -> usize {
        if self.child().is_some() { OF_OURS } else { OF_OTHERS }
    }
}
