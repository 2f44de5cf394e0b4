//! Slices of others: a change concerns the links that have their Service as the target. The first or last mirrored slice of a
//! Service also concerns the links whose directory that Service is.

use std::sync::Arc;

use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::sources;
use super::{PARSED_WHOLE, Services, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::foreign_slices::ForeignSlice;
use crate::index::mentions::{instance_of, mentions};
use crate::name::ObjectName;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of the slices of others.
pub struct ForeignSlices;

impl Watched for ForeignSlices {
    type Raw = Stripped<EndpointSlice>;
    type Item = ForeignSlice;
    const KIND: &'static str = "ForeignEndpointSlice";
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Self::Raw) -> ForeignSlice {
        ForeignSlice::of(raw.object)
    }

    fn table(index: &mut Index) -> &mut Table<ForeignSlice> {
        &mut index.foreign_slices.table
    }

    fn reindex(index: &mut Index, change: &Change<ForeignSlice>) {
        index.foreign_slices.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<ForeignSlice>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let content = |slice: Option<&ForeignSlice>| slice.map(|slice| Arc::clone(&slice.slice));
        if content(old) != content(new) {
            for service in [old, new]
                .into_iter()
                .flatten()
                .filter_map(|slice| slice.service.as_ref())
            {
                let links = index.links.of_target(Services::KIND, &service.namespace, &service.name);
                affected.extend(links, Cause::Endpoints);
            }
        }
        extend_with_directories(
            index,
            old.and_then(ForeignSlice::mirrored_into),
            new.and_then(ForeignSlice::mirrored_into),
            &mut affected,
        );
        affected
    }
}

/// Links whose directory has its first mirrored slice, or has lost its last one.
fn extend_with_directories(index: &Index, old: Option<&ObjectName>, new: Option<&ObjectName>, affected: &mut Affected) {
    if old == new {
        return;
    }
    for service in [old, new].into_iter().flatten() {
        // Whether the Service has another mirrored slice is the same before and after the change.
        if index.foreign_slices.count_mirrored(service) > usize::from(new == Some(service)) {
            continue;
        }
        if let Some(instance) = instance_of(&service.name) {
            affected.extend(index.links.of_source(&service.namespace, instance), Cause::Change);
        }
        // A directory of ours under another name is found by what it mentions.
        let service = index.services.table.get(service);
        if let Some(directory) = service.and_then(|service| service.directory()) {
            sources::extend(index, mentions(directory).iter(), affected);
        }
    }
}
