//! Mirrored slices: the first or last of a Service concerns the links whose directory that Service is.

use super::sources;
use super::{Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::mentions::{instance_of, mentions};
use crate::index::mirrors::Mirror;
use crate::store::projection::ProjectedMetadata;
use crate::store::table::{Change, Table};

/// The watch of mirrored slices, of which only metadata is kept.
pub struct Mirrors;

impl Watched for Mirrors {
    type Raw = ProjectedMetadata;
    type Item = Mirror;
    const KIND: &'static str = "MirroredEndpointSlice";

    fn reduce(raw: Self::Raw) -> Mirror {
        Mirror::of(raw.metadata)
    }

    fn table(index: &mut Index) -> &mut Table<Mirror> {
        &mut index.mirrors.table
    }

    fn reindex(index: &mut Index, change: &Change<Mirror>) {
        index.mirrors.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<Mirror>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let old = change.old.as_ref().and_then(|mirror| mirror.service.as_ref());
        let new = change.new.as_ref().and_then(|mirror| mirror.service.as_ref());
        if old == new {
            return affected;
        }
        for service in [old, new].into_iter().flatten() {
            // Whether the Service has another mirrored slice is the same before and after the change.
            if index.mirrors.count(service) > usize::from(new == Some(service)) {
                continue;
            }
            if let Some(instance) = instance_of(&service.name) {
                affected.extend(index.links.of_source(&service.namespace, instance), Cause::Change);
            }
            // A directory of ours under another name is found by what it mentions.
            let service = index.services.table.get(service);
            if let Some(directory) = service.and_then(|service| service.directory()) {
                sources::extend(index, mentions(directory).iter(), &mut affected);
            }
        }
        affected
    }
}
