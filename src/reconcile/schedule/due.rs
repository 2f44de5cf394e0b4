//! Links that are due: first come, first served within a namespace, and namespaces in turn, so that a crowd in one of them
//! holds up the others by a turn each.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::cache::LinkKey;

/// A line of links a namespace.
#[derive(Debug, Default)]
pub(super) struct Due {
    lines: HashMap<Arc<str>, VecDeque<LinkKey>>,
    /// The namespaces that have a line, each once, the next one first.
    turns: VecDeque<Arc<str>>,
}

impl Due {
    /// Behind all of its namespace.
    pub(super) fn push_back(&mut self, key: LinkKey) {
        self.line_of(&key).push_back(key);
    }

    /// Before all of its namespace.
    pub(super) fn push_front(&mut self, key: LinkKey) {
        self.line_of(&key).push_front(key);
    }

    /// The first link of the namespace whose turn it is.
    pub(super) fn pop(&mut self) -> Option<LinkKey> {
        let namespace = self.turns.pop_front()?;
        let line = self.lines.get_mut(&namespace)?;
        let key = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        key
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines.values().map(VecDeque::len).sum()
    }

    fn line_of(&mut self, key: &LinkKey) -> &mut VecDeque<LinkKey> {
        if !self.lines.contains_key(&key.namespace) {
            self.turns.push_back(Arc::clone(&key.namespace));
        }
        self.lines.entry(Arc::clone(&key.namespace)).or_default()
    }
}
