//! The kinds that are kept compressed.

use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::{Endpoint, Environment, Observed, Slice};
use instancelink_core::marks::{claims, is_shared_child};

use crate::store::compressed::{Compress, Compressed, Forgotten, Recent};
use crate::store::scale::{OF_OTHERS, OF_OURS, Scale};
use crate::store::table::Item;

/// A link that is parsed, without its long texts.
const LINK: usize = 4096;

impl Compress for InstanceLink {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/link.json");
    const FIELD: &'static str = "status";

    fn size(&self) -> usize {
        let annotations = self.metadata.annotations.iter().flatten();
        let finalizers = self.metadata.finalizers.iter().flatten();
        let conditions = self.status.iter().flat_map(|status| &status.conditions);
        LINK + annotations.map(|(_, value)| value.len()).sum::<usize>()
            + finalizers.map(|name| 32 + name.len()).sum::<usize>()
            + conditions.map(|condition| 128 + condition.message.len()).sum::<usize>()
    }
}

impl Compress for Observed<Slice> {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/slice.json");
    const FIELD: &'static str = "endpoints";

    fn size(&self) -> usize {
        let mut scale = Scale::default();
        scale.add_child(self);
        for endpoint in &self.object.body.endpoints {
            let target = endpoint.target.iter();
            let target = target.flat_map(|target| [&target.kind, &target.namespace, &target.name, &target.uid]);
            let texts = target
                .chain(&endpoint.node)
                .chain(&endpoint.zone)
                .chain([&endpoint.hostname]);
            scale.add(
                Self::FIELD,
                size_of::<Endpoint>() + texts.map(|text| 16 + text.len()).sum::<usize>(),
            );
        }
        scale.add_list("ports", self.object.body.ports.iter().map(|port| port.name.as_str()));
        scale.bytes()
    }
}

impl Compress for Observed<Environment> {
    const DICTIONARY: &'static [u8] = include_bytes!("dictionaries/environment.json");
    const FIELD: &'static str = "data";

    fn size(&self) -> usize {
        let mut scale = Scale::default();
        scale.add_child(self);
        scale.add_map(Self::FIELD, &self.object.body.data);
        scale.bytes()
    }
}

/// What tells a child from an object of others that the label of the watch selects too. Everyone can write that label.
pub trait Marked: Compress {
    /// True if the marks are those of a child.
    fn is_ours(&self) -> bool;
}

impl Marked for Observed<Slice> {
    fn is_ours(&self) -> bool {
        !claims(self).is_empty()
    }
}

impl Marked for Observed<Environment> {
    fn is_ours(&self) -> bool {
        is_shared_child(self)
    }
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
    Observed<T>: Marked,
{
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add(Observed::<T>::FIELD, self.compressed.size());
    }

    fn limit(&self) -> usize {
        let is_ours = self.peek().is_ours();
        if is_ours { OF_OURS } else { OF_OTHERS }
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
