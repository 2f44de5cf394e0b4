//! How many bytes the caches keep of an object, and which of its fields takes most (contract#bounded-objects).

use std::collections::BTreeMap;

use instancelink_core::child::{ChildSpec, Observed, Owner};
use instancelink_core::snapshot::Unusable;

/// How many bytes of one object of others are kept at most.
pub const OF_OTHERS: usize = 64 * 1024;
/// How many bytes of one object that the operator writes, or that has the marks of one. The largest environment takes less when it
/// is compressed.
pub const OF_OURS: usize = 256 * 1024;
/// An object whose JSON is not larger takes less than [`OF_OTHERS`], whatever it is.
pub const SMALL: usize = OF_OTHERS / 16;

/// An entry of a map of texts, beside its characters: two texts in a tree that is a little more than half full, and what the
/// allocator adds.
const ENTRY: usize = 96;
/// An item of a list of small structs with a text, beside its characters.
const ITEM: usize = 64;
/// An owner, and what the indexes keep to find the object by it, beside its characters.
const OWNER: usize = 512;

/// Adds up the bytes of an object.
#[derive(Debug, Default)]
pub struct Scale {
    bytes: usize,
    largest: usize,
    field: &'static str,
}

impl Scale {
    /// Adds the bytes of a field.
    pub fn add(&mut self, field: &'static str, bytes: usize) {
        self.bytes += bytes;
        if bytes > self.largest {
            self.largest = bytes;
            self.field = field;
        }
    }

    /// Adds a map of texts.
    pub fn add_map(&mut self, field: &'static str, map: &BTreeMap<String, String>) {
        let bytes = map.iter().map(|(key, value)| ENTRY + key.len() + value.len());
        self.add(field, bytes.sum());
    }

    /// Adds a list of structs with these texts.
    pub fn add_list<'a>(&mut self, field: &'static str, texts: impl Iterator<Item = &'a str>) {
        self.add(field, texts.map(|text| ITEM + text.len()).sum());
    }

    /// Adds owners.
    pub fn add_owners<'a>(&mut self, owners: impl IntoIterator<Item = &'a Owner>) {
        let bytes = owners
            .into_iter()
            .map(|owner| OWNER + 3 * (owner.name.len() + owner.uid.len()) + owner.api_version.len() + owner.kind.len());
        self.add("metadata.ownerReferences", bytes.sum());
    }

    /// Adds what all children have.
    pub fn add_child<T>(&mut self, found: &Observed<T>) {
        let ChildSpec {
            labels,
            annotations,
            owners,
            ..
        } = &found.object;
        self.add_map("metadata.labels", labels);
        self.add_map("metadata.annotations", annotations);
        self.add_owners(owners);
    }

    /// All bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Why an object with these bytes cannot be used, if it may have at most `limit`.
    pub fn excess(&self, limit: usize) -> Option<Unusable> {
        (self.bytes > limit).then(|| Unusable::too_large(self.field, self.bytes, limit))
    }
}
