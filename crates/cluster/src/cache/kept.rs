//! How many bytes are kept of the objects of each namespace (contract#metrics).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Cache;
use crate::index::Index;
use crate::index::source_kind::KINDS;
use crate::store::weights::add_weights;

/// Bytes by namespace. Objects without a namespace count in the empty one.
type KeptBytes = BTreeMap<Arc<str>, usize>;

impl Cache {
    /// About how many bytes are kept of the objects of each namespace. Events wait only while one kind is added up.
    pub fn kept_bytes(&self) -> BTreeMap<Arc<str>, usize> {
        let mut kept = KeptBytes::new();
        let kinds: [fn(&Index, &mut KeptBytes); 13] = [
            |index, kept| add_weights(kept, &index.links.table),
            |index, kept| add_weights(kept, &index.grants.table),
            |index, kept| add_weights(kept, &index.reference_grants.table),
            |index, kept| {
                for kind in KINDS {
                    add_weights(kept, index.workloads.of(kind));
                }
            },
            |index, kept| index.scaled.weigh(kept),
            |index, kept| add_weights(kept, &index.pods.table),
            |index, kept| add_weights(kept, &index.services.table),
            |index, kept| add_weights(kept, &index.slices.table),
            |index, kept| add_weights(kept, &index.policies.table),
            |index, kept| add_weights(kept, &index.foreign_slices.table),
            |index, kept| add_weights(kept, &index.environments.table),
            |index, kept| index.secrets.weigh(kept),
            |index, kept| {
                add_weights(kept, &index.namespaces);
                add_weights(kept, &index.nodes);
            },
        ];
        for add in kinds {
            self.read(|index| add(index, &mut kept));
        }
        kept
    }
}
