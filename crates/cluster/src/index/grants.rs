//! Grants: the consents of namespaces, as `InstanceLinkGrant` or as `ReferenceGrant` of the Gateway API.

use std::sync::Arc;

use instancelink_api::grant::GrantTo;
use instancelink_core::snapshot::{Grant, Origin};

use crate::name::ObjectName;
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// All grants of a kind.
#[derive(Debug, Default)]
pub struct GrantStore {
    pub(crate) table: Table<Grant>,
    by_namespace: Groups<Arc<str>>,
}

impl GrantStore {
    /// The grants of a namespace, in the order of their names.
    pub fn of<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Grant>> + use<'a> {
        self.by_namespace.get(namespace).filter_map(|name| self.table.get(name))
    }

    /// A grant.
    pub fn get(&self, name: &ObjectName) -> Option<&Arc<Grant>> {
        self.table.get(name)
    }

    /// The names of all grants.
    pub fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.table.iter().map(|(name, _)| name)
    }

    /// The names of the grants of a namespace.
    pub fn names_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
        self.by_namespace.get(namespace)
    }

    pub(crate) fn reindex(&mut self, change: &Change<Grant>) {
        let namespace = &change.name.namespace;
        let namespaces = |g: Option<&Arc<Grant>>| g.map(|_| Arc::clone(namespace)).into_iter().collect::<Vec<_>>();
        let (old, new) = (namespaces(change.old.as_ref()), namespaces(change.new.as_ref()));
        self.by_namespace.update(&change.name, &old, &new);
    }
}

impl Item for Grant {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        let from = self.from.iter().map(|from| match from {
            Origin::Namespace(name) => 64 + name.len(),
            Origin::Selected(selector) => 64 + selector.size(),
        });
        scale.add("spec.from", from.sum());
        let to = self.to.iter().flat_map(texts_of);
        scale.add_list("spec.to", to);
        let texts = self.accepted.iter().map(|accepted| accepted.message.as_str());
        scale.add_list("status.conditions", texts.chain(self.problem.as_deref()));
    }
}

/// The texts of a target that a grant is for, one for each of its ports too.
fn texts_of(to: &GrantTo) -> impl Iterator<Item = &str> {
    let ports = to.ports.iter().flatten().map(|_| "");
    let names = to.group.iter().chain(&to.name).map(String::as_str);
    names.chain([to.kind.as_str()]).chain(ports)
}
