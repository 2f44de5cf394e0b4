//! The links of a source whose labels and annotations are on the children that they share.

use instancelink_core::dataplane::{MOST_LINKS, counts};

use super::links::{CachedLink, LinkStore};
use crate::name::{LinkKey, SourceKey};

impl LinkStore {
    /// The other links of this source that count for its shared children, in the order of their names.
    pub(crate) fn that_count_beside<'a>(
        &'a self,
        key: &'a LinkKey,
        source: &SourceKey,
        link: &'a CachedLink,
    ) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        let others = self.by_infrastructure.get(source);
        others
            .filter(move |other| *other != key && self.is_up_for(other, link))
            .take(MOST_LINKS)
    }

    /// One other link of this source that is up, and so writes the shared children.
    pub(crate) fn another_up(&self, key: &LinkKey, source: &SourceKey, link: &CachedLink) -> Option<&LinkKey> {
        let mut others = self.by_source.get(source);
        others.find(|other| *other != key && self.is_up_for(other, link))
    }

    fn is_up_for(&self, other: &LinkKey, link: &CachedLink) -> bool {
        let other = self.table.get(other);
        other.is_some_and(|other| counts(other.state) && other.source_kind == link.source_kind)
    }
}
