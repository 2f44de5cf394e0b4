//! Grants: what namespaces consent to.

use std::sync::Arc;

use instancelink_api::{InstanceLinkGrant, keys};
use instancelink_core::snapshot::Grant;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::table::{Change, Item, Table};

/// All grants.
#[derive(Debug, Default)]
pub(crate) struct GrantStore {
    pub(crate) table: Table<Grant>,
    by_namespace: Groups<Arc<str>>,
}

impl Item for Grant {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

impl GrantStore {
    /// The grants of a namespace, in the order of their names.
    pub(crate) fn of<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Grant>> + use<'a> {
        self.by_namespace.get(namespace).filter_map(|name| self.table.get(name))
    }
}

/// The watch of grants.
pub(crate) struct Grants;

impl Watched for Grants {
    type Raw = InstanceLinkGrant;
    type Item = Grant;
    const KIND: &'static str = keys::GRANT_KIND;

    fn reduce(raw: InstanceLinkGrant) -> Grant {
        Grant::from(raw)
    }

    fn table(index: &mut Index) -> &mut Table<Grant> {
        &mut index.grants.table
    }

    fn changed(index: &mut Index, change: &Change<Grant>, _: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let namespace = &change.name.namespace;
        let namespaces = |g: Option<&Grant>| g.map(|_| Arc::clone(namespace)).into_iter().collect::<Vec<_>>();
        index
            .grants
            .by_namespace
            .update(&change.name, &namespaces(old), &namespaces(new));
        if differs(old, new) {
            affected.extend(index.links.that_lead_into(namespace), Cause::Change);
        }
    }
}

/// A new resourceVersion alone, as an edit of its labels brings, is no difference.
fn differs(old: Option<&Grant>, new: Option<&Grant>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let unversioned = Grant {
                resource_version: new.resource_version.clone(),
                ..old.clone()
            };
            unversioned != *new
        }
        _ => true,
    }
}
