//! The kinds that are kept compressed.

use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::{Environment, Observed, Slice};

use crate::store::compressed::{Compress, Compressed, Forgotten, Recent};
use crate::store::table::Item;

impl Compress for InstanceLink {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/link.json");
}

impl Compress for Observed<Slice> {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/slice.json");
}

impl Compress for Observed<Environment> {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/environment.json");
}

/// A child in the cluster.
#[derive(Debug)]
pub struct CompressedChild<T> {
    uid: Box<str>,
    resource_version: Box<str>,
    compressed: Compressed<Observed<T>>,
}

impl<T> CompressedChild<T>
where
    Observed<T>: Compress,
{
    /// Keeps a child.
    pub fn new(found: Observed<T>) -> Self {
        Self {
            uid: found.uid.as_str().into(),
            resource_version: found.resource_version.as_str().into(),
            compressed: Compressed::new(found),
        }
    }

    /// The child, to work with: it then stays parsed for a while.
    pub fn get(&self, recent: &Recent) -> Arc<Observed<T>> {
        self.compressed.get(recent)
    }

    /// The child, for one look among many.
    pub fn peek(&self) -> Arc<Observed<T>> {
        self.compressed.peek()
    }
}

impl<T> Item for CompressedChild<T>
where
    Observed<T>: Compress,
{
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn remember(&self, recent: &Recent) -> Forgotten {
        self.compressed.remember(recent)
    }
}

#[cfg(test)]
mod tests {
    use instancelink_core::fixture::World;

    use super::*;

    fn comes_back<T: Compress + Clone + PartialEq + std::fmt::Debug>(object: &T) {
        let (compressed, recent) = (Compressed::new(object.clone()), Recent::default());
        let size = compressed.compress_now();
        assert!(size < 400, "{size} bytes");
        assert_eq!(*compressed.peek(), *object);
        assert_eq!(*compressed.get(&recent), *object);
    }

    #[test]
    fn a_compressed_object_takes_a_few_hundred_bytes_and_comes_back_unchanged() {
        let s = World::active().s;
        comes_back(&s.link.object);
        s.children.slices.iter().for_each(comes_back);
        s.children.environments.iter().for_each(comes_back);
    }
}
