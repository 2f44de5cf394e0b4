//! The environments: ConfigMaps that the operator writes.

use instancelink_core::child::Environment;

use super::compressed_kinds::CompressedChild;
use super::mentions::{Mention, mentions_of_environment};
use crate::store::groups::Groups;
use crate::store::table::{Change, Table};

/// All environments in the cache.
#[derive(Debug, Default)]
pub struct EnvironmentStore {
    /// The environments themselves.
    pub table: Table<CompressedChild<Environment>>,
    /// Environments by what they mention: names of instances, UIDs of instances, and UIDs of links with entries.
    pub by_mention: Groups<Mention>,
}

impl EnvironmentStore {
    pub(crate) fn reindex(&mut self, change: &Change<CompressedChild<Environment>>) {
        let mentions = |child: &Option<std::sync::Arc<CompressedChild<Environment>>>| {
            child
                .as_ref()
                .map(|child| mentions_of_environment(&child.peek()))
                .unwrap_or_default()
        };
        self.by_mention
            .update(&change.name, &mentions(&change.old), &mentions(&change.new));
    }
}
