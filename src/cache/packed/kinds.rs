//! The kinds that are kept packed.

use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::{Environment, Observed, Slice};

use super::{Pack, Packed};
use crate::cache::table::Item;

impl Pack for InstanceLink {
    const DICTIONARY: &'static [u8] = include_bytes!("link.json");
}

impl Pack for Observed<Slice> {
    const DICTIONARY: &'static [u8] = include_bytes!("slice.json");
}

impl Pack for Observed<Environment> {
    const DICTIONARY: &'static [u8] = include_bytes!("environment.json");
}

/// A child that stands in the cluster.
#[derive(Debug)]
pub(crate) struct PackedChild<T> {
    uid: Box<str>,
    resource_version: Box<str>,
    packed: Packed<Observed<T>>,
}

impl<T> PackedChild<T>
where
    Observed<T>: Pack,
{
    pub(crate) fn new(found: Observed<T>) -> Self {
        Self {
            uid: found.uid.as_str().into(),
            resource_version: found.resource_version.as_str().into(),
            packed: Packed::new(found),
        }
    }

    /// The child, to be worked with.
    pub(crate) fn open(&self) -> Arc<Observed<T>> {
        self.packed.open()
    }

    /// The child, for one look among many.
    pub(crate) fn glance(&self) -> Arc<Observed<T>> {
        self.packed.glance()
    }
}

impl<T> Item for PackedChild<T> {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}
