//! The EndpointSlices of links, by link.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use instancelink_core::child::{Observed, Slice};

use super::compressed_kinds::CompressedChild;
use super::mentions::{Mention, links_beside};
use crate::store::compressed::{Forgotten, Recent};
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::table::{Change, Item, Table};

/// All slices of links.
#[derive(Debug, Default)]
pub struct SliceStore {
    /// The slices themselves.
    pub table: Table<CachedSlice>,
    /// Slices by the namespace and the UID of their link.
    pub by_link: Groups<Mention>,
}

/// A slice. The fields that are read for many slices at once are kept uncompressed.
#[derive(Debug)]
pub struct CachedSlice {
    /// The slice itself.
    pub child: CompressedChild<Slice>,
    /// How many endpoints it has.
    pub endpoints: usize,
    /// A bit for each node that its pods run on. Nodes may share one.
    nodes: u64,
    /// A bit for each UID of its pods. Pods may share one.
    pods: u64,
}

impl CachedSlice {
    pub(crate) fn of(found: Observed<Slice>) -> Self {
        let endpoints = found.object.body.endpoints.iter();
        Self {
            nodes: endpoints
                .filter_map(|e| e.node.as_deref())
                .fold(0, |bits, node| bits | bit_of(node)),
            pods: found
                .object
                .body
                .endpoints
                .iter()
                .filter_map(|e| e.target.as_ref())
                .fold(0, |bits, target| bits | bit_of(&target.uid)),
            endpoints: found.object.body.endpoints.len(),
            child: CompressedChild::new(found),
        }
    }

    /// False if no pod behind it runs on this node; otherwise one may.
    pub(crate) fn may_be_on(&self, node: &str) -> bool {
        self.nodes & bit_of(node) != 0
    }

    /// False if none of these pods is behind it; otherwise one may be.
    pub(crate) fn may_have(&self, pods: u64) -> bool {
        self.pods & pods != 0
    }
}

/// The bit of a node or of a UID.
pub(crate) fn bit_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    1 << (hasher.finish() % 64)
}

impl Item for CachedSlice {
    fn uid(&self) -> &str {
        self.child.uid()
    }

    fn resource_version(&self) -> &str {
        self.child.resource_version()
    }

    fn weigh(&self, scale: &mut Scale) {
        self.child.weigh(scale);
    }

    fn limit(&self) -> usize {
        self.child.limit()
    }

    fn remember(&self, recent: &Recent) -> Forgotten {
        self.child.remember(recent)
    }
}

impl SliceStore {
    pub(crate) fn reindex(&mut self, change: &Change<CachedSlice>) {
        let links = |slice: &Option<Arc<CachedSlice>>| {
            slice
                .as_ref()
                .map(|slice| links_beside(&change.name.namespace, &slice.child.peek()))
                .unwrap_or_default()
        };
        self.by_link
            .update(&change.name, &links(&change.old), &links(&change.new));
    }
}
