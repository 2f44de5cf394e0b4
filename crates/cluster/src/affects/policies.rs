//! NetworkPolicies. A policy of a link concerns that link. A foreign NetworkPolicy that isolates pods concerns the links that
//! ask for policies: for ingress those with a target in its namespace, for egress those with a source there.

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::core::ObjectMeta;

use super::orphans::note_orphan;
use super::{PARSED_WHOLE, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::mentions::differs;
use crate::index::owners;
use crate::index::policies::{CachedPolicy, Role};
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of NetworkPolicies.
pub struct Policies;

/// A NetworkPolicy that cannot be read isolates nothing, and no child is like it.
impl Salvage for NetworkPolicy {
    fn salvage(metadata: ObjectMeta, _: &Fields<'_>) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }
}

impl Watched for Policies {
    type Raw = Stripped<NetworkPolicy>;
    type Item = CachedPolicy;
    const KIND: &'static str = "NetworkPolicy";
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Stripped<NetworkPolicy>) -> CachedPolicy {
        CachedPolicy::of(raw.object)
    }

    fn table(index: &mut Index) -> &mut Table<CachedPolicy> {
        &mut index.policies.table
    }

    fn reindex(index: &mut Index, change: &Change<CachedPolicy>) {
        index.policies.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<CachedPolicy>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        note_orphan(index, new.and_then(CachedPolicy::child), who, &mut affected);
        if who == Who::Us || same(old.map(|p| &p.role), new.map(|p| &p.role)) {
            return affected;
        }
        for policy in [old, new].into_iter().flatten() {
            if let Some(found) = policy.child() {
                let links = owners::links_of(&index.links, found);
                // Elsewhere it is forged, or stray: the sweep asks, and the link has no turn for it.
                let named = links.filter(|link| index.links.leads_to(&change.name.namespace, link));
                affected.extend(named, Cause::Change);
            }
            if policy.isolates_ingress() {
                affected.extend(index.links.with_policy_in(&change.name.namespace), Cause::Change);
            }
            if policy.isolates_egress() {
                affected.extend(index.links.with_policy_from(&change.name.namespace), Cause::Change);
            }
        }
        affected
    }
}

/// A new resourceVersion alone is no difference.
fn same(old: Option<&Role>, new: Option<&Role>) -> bool {
    match (old, new) {
        (Some(Role::Ours(old)), Some(Role::Ours(new))) => !differs(Some(old.as_ref()), Some(new.as_ref())),
        (old, new) => old == new,
    }
}
