//! Links that wait for the end of something that no event tells, such as a quota. The more of them a namespace has, the less
//! often each tries. When one of them goes on, others of its namespace try at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use instancelink_cluster::LinkKey;

use super::Ending;

/// How many others a link wakes that goes on. Each of them wakes as many, so all have their turn soon; and if none of them can go
/// on, this is all that they cost.
const WAKES: usize = 2;

/// The waiting links of each namespace.
#[derive(Debug, Default)]
pub(super) struct Unseen(HashMap<Arc<str>, BTreeSet<LinkKey>>);

impl Unseen {
    /// Records how a pass ended. Returns how many links of the namespace wait, and those that are to try at once.
    pub(super) fn record(&mut self, key: &LinkKey, ending: Ending) -> (usize, Vec<LinkKey>) {
        match ending {
            Ending::RefusedUnseen(_) => {
                let waiting = self.0.entry(Arc::clone(&key.namespace)).or_default();
                waiting.insert(key.clone());
                (waiting.len(), Vec::new())
            }
            // Nothing was learnt.
            Ending::Conflict | Ending::Failed(_) | Ending::Yielded => (0, Vec::new()),
            Ending::Settled(_) | Ending::Refused(_) | Ending::Gone => (0, self.goes_on(key)),
        }
    }

    fn goes_on(&mut self, key: &LinkKey) -> Vec<LinkKey> {
        let Some(waiting) = self.0.get_mut(&key.namespace) else {
            return Vec::new();
        };
        let waited = waiting.remove(key);
        let others = waiting.iter().take(if waited { WAKES } else { 0 }).cloned().collect();
        if waiting.is_empty() {
            self.0.remove(&key.namespace);
        }
        others
    }
}
