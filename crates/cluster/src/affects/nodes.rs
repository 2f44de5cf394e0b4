//! Nodes: another zone concerns the links that have endpoints on the node.

use super::{Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::nodes::CachedNode;
use crate::index::owners;
use crate::name::LinkKey;
use crate::store::projection::ProjectedMetadata;
use crate::store::table::{Change, Table};

/// The watch of nodes.
pub struct Nodes;

impl Watched for Nodes {
    type Raw = ProjectedMetadata;
    type Item = CachedNode;
    const KIND: &'static str = "Node";

    fn reduce(raw: Self::Raw) -> CachedNode {
        CachedNode::of(raw.metadata)
    }

    fn table(index: &mut Index) -> &mut Table<CachedNode> {
        &mut index.nodes
    }

    // Nothing but the table leads to a node.
    fn reindex(_: &mut Index, _: &Change<CachedNode>) {}

    fn concerns(index: &Index, change: &Change<CachedNode>, _: Who) -> Affected {
        let mut affected = Affected::default();
        let zone = |node: &Option<std::sync::Arc<CachedNode>>| node.as_ref().and_then(|node| node.zone.clone());
        if zone(&change.old) == zone(&change.new) {
            return affected;
        }
        // Zones hardly ever change, so a search through all slices is cheap enough.
        let node = &*change.name.name;
        let on_node: Vec<LinkKey> = index
            .slices
            .table
            .iter()
            .filter(|(_, slice)| slice.may_be_on(node))
            .map(|(_, slice)| slice.child.peek())
            .filter(|s| s.object.body.endpoints.iter().any(|e| e.node.as_deref() == Some(node)))
            .flat_map(|s| owners::links_of(&index.links, &s).cloned().collect::<Vec<_>>())
            .collect();
        affected.extend(&on_node, Cause::Change);
        affected
    }
}
