//! Grants: a change concerns all links that lead into the namespace of the grant.

use instancelink_api::grant::{InstanceLinkGrantSpec, InstanceLinkGrantStatus};
use instancelink_api::{InstanceLinkGrant, keys};
use instancelink_core::resolve::reference_grant::grant_of;
use instancelink_core::snapshot::Grant;
use kube::core::ObjectMeta;
use serde_json::Value;

use super::{PARSED_WHOLE, Watched, Who, bounded};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::store::fields::Fields;
use crate::store::lenient::{Lenient, Salvage};
use crate::store::projection::{Ignored, Projected};
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Reduced, Table};

/// The watch of `InstanceLinkGrant`s.
pub struct Grants;

impl Watched for Grants {
    type Raw = Stripped<InstanceLinkGrant>;
    type Item = Grant;
    const KIND: &'static str = keys::GRANT_KIND;
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Self::Raw) -> Grant {
        Grant::from(raw.object)
    }

    fn reduced(raw: Lenient<Self::Raw>) -> Reduced<Grant> {
        let Reduced { item, why } = bounded::<Self>(raw);
        Reduced {
            item: why.as_deref().into_iter().fold(item, Grant::unusable),
            why,
        }
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

/// A grant that cannot be read consents to nothing.
impl Salvage for InstanceLinkGrant {
    fn salvage(metadata: ObjectMeta, fields: &Fields<'_>) -> Self {
        let spec = InstanceLinkGrantSpec {
            from: Vec::new(),
            to: Vec::new(),
            allow: Vec::new(),
        };
        let status = || fields.fields("status").over(InstanceLinkGrantStatus::default());
        Self {
            metadata,
            spec,
            status: fields.has("status").then(status),
        }
    }
}

/// The watch of `ReferenceGrant`s, in each served version. Core reads their spec.
pub struct ReferenceGrants;

impl Watched for ReferenceGrants {
    type Raw = Projected<Value, Ignored>;
    type Item = Grant;
    const KIND: &'static str = "ReferenceGrant";
    const MAY_BE_ABSENT: bool = true;

    fn reduce(raw: Self::Raw) -> Grant {
        grant_of(raw.metadata, raw.spec)
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
