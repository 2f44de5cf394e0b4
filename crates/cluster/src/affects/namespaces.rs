//! Namespaces: a change concerns the links in it, and the links that it shadows.

use super::{Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::namespaces::CachedNamespace;
use crate::store::projection::ProjectedMetadata;
use crate::store::table::{Change, Table};

/// The watch of namespaces.
pub struct Namespaces;

impl Watched for Namespaces {
    type Raw = ProjectedMetadata;
    type Item = CachedNamespace;
    const KIND: &'static str = "Namespace";

    fn reduce(raw: Self::Raw) -> CachedNamespace {
        CachedNamespace::of(raw.metadata)
    }

    fn table(index: &mut Index) -> &mut Table<CachedNamespace> {
        &mut index.namespaces
    }

    // Nothing but the table leads to a namespace.
    fn reindex(_: &mut Index, _: &Change<CachedNamespace>) {}

    fn concerns(index: &Index, change: &Change<CachedNamespace>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let all = old.map(|n| (&n.uid, n.terminating)) != new.map(|n| (&n.uid, n.terminating));
        // A grant elsewhere may select this namespace by its labels.
        if !all && old.map(|n| &n.labels) == new.map(|n| &n.labels) {
            return affected;
        }
        let links = index.links.in_namespace(&change.name.name);
        let concerned = links.filter(|(_, leads_out)| all || *leads_out);
        affected.extend(concerned.map(|(link, _)| link), Cause::Change);
        if old.is_some() != new.is_some() {
            affected.extend(index.links.shadowed_by(&change.name), Cause::Change);
        }
        affected
    }
}
