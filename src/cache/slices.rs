//! The EndpointSlices of ours, by link.

use instancelink_core::child::{Found, Slice};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::LinkKey;
use super::shared;
use super::table::{Change, Item, Table};

/// All slices of ours.
#[derive(Debug, Default)]
pub(crate) struct SliceStore {
    pub(crate) table: Table<Found<Slice>>,
    /// Slices by the UID of their link.
    pub(crate) by_link: Groups<String>,
}

impl Item for Found<Slice> {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of slices.
pub(crate) struct Slices;

impl Watched for Slices {
    type Raw = EndpointSlice;
    type Item = Found<Slice>;
    const KIND: &'static str = "EndpointSlice";

    fn reduce(raw: EndpointSlice) -> Found<Slice> {
        Found::from(raw)
    }

    fn table(index: &mut Index) -> &mut Table<Found<Slice>> {
        &mut index.slices.table
    }

    fn changed(index: &mut Index, change: &Change<Found<Slice>>, who: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let links = |slice: Option<&Found<Slice>>| slice.map(shared::links_of).unwrap_or_default();
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
