//! NetworkPolicies, in three views: the policies of links, by link, and the foreign ones that isolate pods for ingress and for
//! egress.

use std::sync::Arc;

use instancelink_core::child::{Observed, Policy};
use instancelink_core::marks::claims;
use instancelink_core::resolve::egress::isolates_egress;
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
    /// It is foreign, and isolates pods in these directions.
    Isolator(Arc<Isolator>, Directions),
    /// It is foreign, and does not.
    None,
}

/// The directions in which a policy isolates pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directions {
    pub(crate) ingress: bool,
    pub(crate) egress: bool,
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
                Some(spec) => role_of_foreign(found, spec),
                None => Role::None,
            },
        }
    }

    /// The child, if it is the policy of a link.
    pub fn child(&self) -> Option<&Observed<Policy>> {
        match &self.role {
            Role::Ours(found) => Some(found),
            Role::Isolator(..) | Role::None => None,
        }
    }

    /// True if it is foreign and isolates pods for ingress.
    pub(crate) fn isolates_ingress(&self) -> bool {
        matches!(self.role, Role::Isolator(_, directions) if directions.ingress)
    }

    /// True if it is foreign and isolates pods for egress.
    pub(crate) fn isolates_egress(&self) -> bool {
        matches!(self.role, Role::Isolator(_, directions) if directions.egress)
    }
}

fn role_of_foreign(found: Observed<Policy>, spec: NetworkPolicySpec) -> Role {
    let directions = Directions {
        ingress: isolates(&spec),
        egress: isolates_egress(&spec),
    };
    if !directions.ingress && !directions.egress {
        return Role::None;
    }
    let isolator = Isolator {
        namespace: found.object.namespace,
        name: found.object.name,
        pods: spec.pod_selector.unwrap_or_default().into(),
    };
    Role::Isolator(Arc::new(isolator), directions)
}

/// All NetworkPolicies.
#[derive(Debug, Default)]
pub struct PolicyStore {
    /// The policies themselves.
    pub table: Table<CachedPolicy>,
    /// The policies of links, by their name, which has a hash of the link's UID: a link has at most one of each name in each
    /// namespace.
    pub by_name: Groups<Arc<str>>,
    isolators: Groups<Arc<str>>,
    egress_isolators: Groups<Arc<str>>,
}

impl PolicyStore {
    /// The foreign ones that isolate pods of a namespace for ingress.
    pub fn isolators_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Isolator>> + use<'a> {
        self.isolators.get(namespace).filter_map(|name| self.isolator(name))
    }

    /// The foreign ones that isolate pods of a namespace for egress.
    pub fn egress_isolators_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Isolator>> + use<'a> {
        self.egress_isolators
            .get(namespace)
            .filter_map(|name| self.isolator(name))
    }

    fn isolator(&self, name: &ObjectName) -> Option<&Arc<Isolator>> {
        match &self.table.get(name)?.role {
            Role::Isolator(isolator, _) => Some(isolator),
            Role::Ours(_) | Role::None => None,
        }
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
        let namespace = |isolates: Option<bool>| {
            let isolating = isolates.filter(|isolates| *isolates);
            isolating.map(|_| Arc::clone(&change.name.namespace))
        };
        let of = |isolates: fn(&CachedPolicy) -> bool| (namespace(old.map(isolates)), namespace(new.map(isolates)));
        let (before, after) = of(CachedPolicy::isolates_ingress);
        self.isolators.update(&change.name, before.as_slice(), after.as_slice());
        let (before, after) = of(CachedPolicy::isolates_egress);
        self.egress_isolators
            .update(&change.name, before.as_slice(), after.as_slice());
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
            Role::Isolator(isolator, _) => scale.add("spec.podSelector", isolator.pods.size()),
            Role::None => {}
        }
    }

    fn limit(&self) -> usize {
        if self.child().is_some() { OF_OURS } else { OF_OTHERS }
    }
}
