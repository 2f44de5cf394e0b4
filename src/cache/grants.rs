//! Grants: what namespaces consent to, in our own words or in those of the Gateway API.

use std::sync::Arc;

use instancelink_api::{InstanceLinkGrant, keys};
use instancelink_core::resolve::reference_grant::grant_of;
use instancelink_core::snapshot::Grant;
use kube::api::DynamicObject;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::links::LinkStore;
use super::table::{Change, Item, Table};

/// All grants of a kind.
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

    fn reindex(&mut self, change: &Change<Grant>) {
        let namespace = &change.name.namespace;
        let namespaces = |g: Option<&Arc<Grant>>| g.map(|_| Arc::clone(namespace)).into_iter().collect::<Vec<_>>();
        let (old, new) = (namespaces(change.old.as_ref()), namespaces(change.new.as_ref()));
        self.by_namespace.update(&change.name, &old, &new);
    }
}

/// The watch of `InstanceLinkGrant`s.
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
        index.grants.reindex(change);
        extend(&index.links, change, affected);
    }
}

/// The watch of `ReferenceGrant`s. They come in the version that is served, and whatever they look like: one that
/// cannot be read must not keep the others from being listed.
pub(crate) struct ReferenceGrants;

impl Watched for ReferenceGrants {
    type Raw = DynamicObject;
    type Item = Grant;
    const KIND: &'static str = "ReferenceGrant";
    const MAY_BE_ABSENT: bool = true;

    fn reduce(mut raw: DynamicObject) -> Grant {
        let spec = raw.data.get_mut("spec").map(serde_json::Value::take);
        grant_of(raw.metadata, spec.unwrap_or_default())
    }

    fn table(index: &mut Index) -> &mut Table<Grant> {
        &mut index.reference_grants.table
    }

    fn changed(index: &mut Index, change: &Change<Grant>, _: Who, affected: &mut Affected) {
        index.reference_grants.reindex(change);
        extend(&index.links, change, affected);
    }
}

/// The links that a grant concerns: all that lead into its namespace.
fn extend(links: &LinkStore, change: &Change<Grant>, affected: &mut Affected) {
    if differs(change.old.as_deref(), change.new.as_deref()) {
        affected.extend(links.that_lead_into(&change.name.namespace), Cause::Change);
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
