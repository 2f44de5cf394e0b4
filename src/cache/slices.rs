//! The EndpointSlices of ours, by link.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use instancelink_core::child::{Observed, Slice};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::LinkKey;
use super::packed::PackedChild;
use super::shared;
use super::table::{Change, Item, Table};
use super::wire::Wire;

/// All slices of ours.
#[derive(Debug, Default)]
pub(crate) struct SliceStore {
    pub(crate) table: Table<CachedSlice>,
    /// Slices by the UID of their link.
    pub(crate) by_link: Groups<String>,
}

/// A slice, and of it in the open what is asked of all slices.
#[derive(Debug)]
pub(crate) struct CachedSlice {
    pub(crate) child: PackedChild<Slice>,
    pub(crate) endpoints: usize,
    /// A bit for each node that its pods run on. Nodes may share one.
    nodes: u64,
}

impl CachedSlice {
    /// False where no pod behind it runs on this node; else one might.
    pub(crate) fn may_be_on(&self, node: &str) -> bool {
        self.nodes & bit_of(node) != 0
    }
}

fn bit_of(node: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.hash(&mut hasher);
    1 << (hasher.finish() % 64)
}

impl Item for CachedSlice {
    fn uid(&self) -> &str {
        self.child.uid()
    }

    fn resource_version(&self) -> &str {
        self.child.resource_version()
    }
}

/// The watch of slices.
pub(crate) struct Slices;

impl Watched for Slices {
    type Raw = Wire<EndpointSlice>;
    type Item = CachedSlice;
    const KIND: &'static str = "EndpointSlice";

    fn reduce(raw: Wire<EndpointSlice>) -> CachedSlice {
        let found = Observed::from(raw.object);
        let endpoints = found.object.body.endpoints.iter();
        CachedSlice {
            nodes: endpoints
                .filter_map(|e| e.node.as_deref())
                .fold(0, |bits, node| bits | bit_of(node)),
            endpoints: found.object.body.endpoints.len(),
            child: PackedChild::new(found),
        }
    }

    fn table(index: &mut Index) -> &mut Table<CachedSlice> {
        &mut index.slices.table
    }

    fn changed(index: &mut Index, change: &Change<CachedSlice>, who: Who, affected: &mut Affected) {
        let old = change.old.as_ref().map(|old| old.child.glance());
        let new = change.new.as_ref().map(|new| new.child.open());
        let (old, new) = (old.as_deref(), new.as_deref());
        shared::note_stray(&index.links, new, who, affected);
        let links = |slice: Option<&Observed<Slice>>| slice.map(shared::links_of).unwrap_or_default();
        let (before, after) = (links(old), links(new));
        let touched = before.iter().chain(after.iter().filter(|uid| !before.contains(uid)));
        let counts = |index: &Index| -> Vec<bool> {
            touched
                .clone()
                .map(|uid| index.slices.by_link.count(uid.as_str()) > 0)
                .collect()
        };
        let had = counts(index);
        index.slices.by_link.update(&change.name, &before, &after);
        let has = counts(index);
        for ((uid, had), has) in touched.zip(had).zip(has) {
            let Some(key) = index.links.by_uid.get(uid) else {
                continue;
            };
            if who == Who::Others && shared::differs(old, new) {
                affected.add(key, Cause::Change);
            }
            if had != has
                && let Some(link) = index.links.table.get(key)
            {
                let rivals: Vec<LinkKey> = index.links.rivals(key, &link.object()).cloned().collect();
                affected.extend(&rivals, Cause::Change);
            }
        }
    }
}
