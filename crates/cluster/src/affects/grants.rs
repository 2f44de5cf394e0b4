//! Grants: a change concerns all links that lead into the namespace of the grant.

use instancelink_api::{InstanceLinkGrant, keys};
use instancelink_core::resolve::reference_grant::grant_of;
use instancelink_core::snapshot::Grant;
use kube::api::DynamicObject;

use super::{Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::store::table::{Change, Table};

/// The watch of `InstanceLinkGrant`s.
pub struct Grants;

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

    fn reindex(index: &mut Index, change: &Change<Grant>) {
        index.grants.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<Grant>, _: Who) -> Affected {
        let mut affected = concerns(index, change);
        // A grant that is gone has no status.
        affected.grants.extend(change.new.as_ref().map(|_| change.name.clone()));
        affected
    }
}

/// The watch of `ReferenceGrant`s. They are parsed leniently, in each served version: one that cannot be read must not
/// prevent a list of the others.
pub struct ReferenceGrants;

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

    fn reindex(index: &mut Index, change: &Change<Grant>) {
        index.reference_grants.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<Grant>, _: Who) -> Affected {
        concerns(index, change)
    }
}

fn concerns(index: &Index, change: &Change<Grant>) -> Affected {
    let mut affected = Affected::default();
    if differs(change.old.as_deref(), change.new.as_deref()) {
        affected.extend(index.links.that_lead_into(&change.name.namespace), Cause::Change);
    }
    affected
}

/// Only what decides about consent is a difference: not an edit of its labels, nor its status.
fn differs(old: Option<&Grant>, new: Option<&Grant>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => !old.consents_as(new),
        _ => true,
    }
}
