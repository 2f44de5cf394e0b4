//! Which links and pods a change concerns. Each kind has its own file.
//!
//! Each kind has two separate functions for a change: `reindex` updates the lookups, and `concerns` returns the links
//! and pods that the change concerns. `concerns` changes nothing, so it can be called again for the same change.

mod claims;
pub(crate) mod ends;
mod environments;
mod foreign_slices;
mod former_sources;
mod grants;
mod kept_pods;
mod links;
mod namespaces;
mod nodes;
mod orphans;
mod pods;
mod policies;
mod policy_ends;
mod secrets;
mod services;
mod slices;
mod sources;
mod workloads;

use std::fmt::Debug;
use std::time::Duration;

use kube::Resource as _;
use kube::core::ObjectMeta;

use crate::affected::Affected;
use crate::backoff::LONGEST;
use crate::index::Index;
use crate::store::fields::Fields;
use crate::store::identity::identity_of;
use crate::store::lenient::{Lenient, Salvage};
use crate::store::scale::{SMALL, Scale};
use crate::store::table::{Change, Item, Reduced, Table};

pub use environments::Environments;
pub use foreign_slices::ForeignSlices;
pub use grants::{Grants, ReferenceGrants};
pub use links::Links;
pub use namespaces::Namespaces;
pub use nodes::Nodes;
pub use pods::Pods;
pub use policies::Policies;
pub use secrets::Secrets;
pub use services::Services;
pub use slices::Slices;
pub use workloads::{CronJobs, DaemonSets, Deployments, Jobs, ReplicaSets, StatefulSets, Workloads};

/// Who made a change. Our own write must not cause a pass of the link that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Another client, or an unknown one, which may be the operator.
    Others,
    /// The operator: the change is the answer to its own write.
    Us,
}

/// The kinds that operators write.
pub const WRITTEN: [&str; 6] = [
    Links::KIND,
    Services::KIND,
    Slices::KIND,
    Policies::KIND,
    Environments::KIND,
    Secrets::KIND,
];

/// The same for a kind whose objects are parsed as a whole: that takes up to ten times their text.
const PARSED_WHOLE: u32 = 10;

/// A kind that is watched: how it is reduced, where it is kept, and which links a change concerns.
pub trait Watched: Send + Sync + 'static {
    /// The object in a response of the API server.
    type Raw: Salvage + Clone + Debug + Send + 'static;
    /// The object as it is kept.
    type Item: Item + Send + Sync + 'static;
    /// The API's name of the kind.
    const KIND: &'static str;
    /// The label that an object needs to be watched. None if all objects of the kind are.
    const LABEL: Option<&'static str> = None;
    /// True if a cluster may lack this kind. Then its watch ends when the kind is not served.
    const MAY_BE_ABSENT: bool = false;
    /// The longest pause of its watch after a failure. Changes during a pause are seen only after it.
    const LONGEST_BACKOFF: Duration = LONGEST;
    /// How many objects a page of a list has, where the API server does not stream lists. Each may have 1.5 MB, and the text of
    /// a page is in memory as a whole.
    const PAGE_SIZE: u32 = 50;

    /// Reduces an object to the fields that the cache keeps.
    fn reduce(raw: Self::Raw) -> Self::Item;
    /// Reduces an object that may be one that cannot be used. Of an object that is too large, only its identity is kept.
    fn reduced(raw: Lenient<Self::Raw>) -> Reduced<Self::Item> {
        bounded::<Self>(raw)
    }
    /// True if the watch shows an object with this metadata.
    fn is_watched(metadata: &ObjectMeta) -> bool {
        let has = |label| {
            metadata
                .labels
                .as_ref()
                .is_some_and(|labels| labels.contains_key(label))
        };
        Self::LABEL.is_none_or(has)
    }
    /// The table that the kind is kept in.
    fn table(index: &mut Index) -> &mut Table<Self::Item>;
    /// The table for objects of this namespace: a kind that is watched namespace by namespace has one for each.
    fn table_in<'a>(index: &'a mut Index, _namespace: &str) -> &'a mut Table<Self::Item> {
        Self::table(index)
    }
    /// Brings the lookups up to date with a change. A second call with the same change does nothing.
    fn reindex(index: &mut Index, change: &Change<Self::Item>);
    /// What a change concerns. Call it after `reindex`.
    fn concerns(index: &Index, change: &Change<Self::Item>, who: Who) -> Affected;
}

/// Reduces an object. If more of it would be kept than its limit, only its identity is (contract#bounded-objects).
fn bounded<W: Watched + ?Sized>(raw: Lenient<W::Raw>) -> Reduced<W::Item> {
    let Lenient { object, why, size } = raw;
    let identity = (size > SMALL).then(|| W::Raw::salvage(identity_of(object.meta()), &Fields::default()));
    let item = W::reduce(object);
    let Some(identity) = identity else {
        return Reduced { item, why };
    };
    let mut scale = Scale::default();
    item.weigh(&mut scale);
    match scale.excess(item.limit()) {
        Some(too_large) => Reduced {
            item: W::reduce(identity),
            why: Some(Box::new(too_large)),
        },
        None => Reduced { item, why },
    }
}
