//! The EndpointSlices of links. A change concerns the link of the slice. The first or last slice of a link also
//! concerns the links that wait for its alias.

use instancelink_api::keys;
use instancelink_core::child::{Observed, Slice};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::core::ObjectMeta;

use super::claims::extend_with_rivals;
use super::orphans::note_orphan;
use super::{PARSED_WHOLE, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::mentions::{differs, links_of};
use crate::index::owners;
use crate::index::slices::CachedSlice;
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of slices.
pub struct Slices;

/// A slice that cannot be read is damaged: DNS may return what it has. The type of its addresses is immutable.
impl Salvage for EndpointSlice {
    fn salvage(metadata: ObjectMeta, fields: &Fields<'_>) -> Self {
        Self {
            metadata,
            address_type: fields.read("addressType").unwrap_or_default(),
            endpoints: Some(vec![Endpoint::default()]),
            ..Self::default()
        }
    }
}

impl Watched for Slices {
    type Raw = Stripped<EndpointSlice>;
    type Item = CachedSlice;
    const KIND: &'static str = "EndpointSlice";
    const LABEL: Option<&'static str> = Some(keys::LINK_UID);
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Stripped<EndpointSlice>) -> CachedSlice {
        CachedSlice::of(Observed::from(raw.object))
    }

    fn table(index: &mut Index) -> &mut Table<CachedSlice> {
        &mut index.slices.table
    }

    fn reindex(index: &mut Index, change: &Change<CachedSlice>) {
        index.slices.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<CachedSlice>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (
            change.old.as_ref().map(|s| s.child.peek()),
            change.new.as_ref().map(|s| s.child.peek()),
        );
        let (old, new) = (old.as_deref(), new.as_deref());
        note_orphan(index, new, who, &mut affected);
        if who == Who::Others && differs(old, new) {
            for found in [old, new].into_iter().flatten() {
                affected.extend(owners::links_of(&index.links, found), Cause::Change);
            }
        }
        let links = |slice: Option<&Observed<Slice>>| slice.map(links_of).unwrap_or_default();
        let (before, after) = (links(old), links(new));
        let (before, after) = (before.iter().map(String::as_str), after.iter().map(String::as_str));
        extend_with_rivals(index, &change.name.namespace, before, after, &mut affected);
        affected
    }
}
