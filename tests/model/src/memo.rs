//! A map of computed answers, which many threads read and few write.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::RwLock;

const SHARDS: usize = 64;

/// A map from questions to answers. The answer to a question never changes.
#[derive(Debug)]
pub(crate) struct Memo<K, V> {
    hasher: RandomState,
    shards: Vec<RwLock<HashMap<K, V>>>,
}

impl<K: Hash + Eq, V: Copy> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| RwLock::new(HashMap::new())).collect(),
        }
    }

    /// The answer, computed if it is unknown. Two threads may both compute it, with the same result.
    pub(crate) fn get(&self, question: K, compute: impl FnOnce(&K) -> V) -> V {
        let shard = &self.shards[self.hasher.hash_one(&question) as usize % SHARDS];
        if let Some(known) = shard.read().get(&question) {
            return *known;
        }
        let answer = compute(&question);
        shard.write().insert(question, answer);
        answer
    }

    /// Number of answers.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }
}
