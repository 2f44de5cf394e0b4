//! The order of the links that are due. Namespaces take turns, so a namespace with many links delays the others by one turn
//! each. Within a namespace, sources are first in, first out; so are the links of a source, one at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use instancelink_cluster::{LinkKey, SourceKey};

/// How many links of a source may have yielded before one of them has its turn again and writes what they share. Also how
/// many turns of one source follow each other while other sources wait.
const BATCH: usize = 32;

/// One place in the queue of a namespace.
#[derive(Debug)]
enum Slot {
    /// A source, whose links have turns one after the other.
    Source(SourceKey),
    /// A link without a known source.
    Link(LinkKey),
}

/// The links of a source that are due.
#[derive(Debug, Default)]
struct SourceQueue {
    /// Links that did not have a turn yet.
    fresh: VecDeque<LinkKey>,
    /// Links that had a turn and yielded to others.
    yielded: VecDeque<LinkKey>,
    /// A fresh link had a turn without yielding, so the next turn goes to a link that yielded. Without this rule those would
    /// wait for as long as fresh links come.
    yielded_first: bool,
    /// Turns since the source was last put at the end of the queue.
    turns: usize,
    /// A pass over one of its links runs, or the source is locked.
    busy: bool,
}

impl SourceQueue {
    fn next(&mut self) -> Option<(LinkKey, bool)> {
        self.turns += 1;
        let yielded_first = self.yielded_first || self.yielded.len() >= BATCH;
        if (self.yielded.is_empty() || !yielded_first)
            && let Some(key) = self.fresh.pop_front()
        {
            self.yielded_first = !self.yielded.is_empty();
            return Some((key, false));
        }
        self.yielded_first = false;
        self.yielded.pop_front().map(|key| (key, true))
    }

    fn len(&self) -> usize {
        self.fresh.len() + self.yielded.len()
    }
}

/// A link that was taken out of the queue, and its source, which is busy from now on.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) key: LinkKey,
    pub(super) source: Option<SourceKey>,
    /// It had a turn before, and yielded.
    pub(super) yielded: bool,
}

impl Next {
    const fn without_source(key: LinkKey) -> Self {
        Self {
            key,
            source: None,
            yielded: false,
        }
    }
}

/// One queue of sources per namespace.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    /// Links that were added since the last turn. Their sources are looked up at the next one.
    added: VecDeque<LinkKey>,
    namespaces: HashMap<Arc<str>, VecDeque<Slot>>,
    /// The namespaces that have a queue, each once, the next one first.
    rotation: VecDeque<Arc<str>>,
    /// Each source that is busy or has a link that is due.
    sources: HashMap<SourceKey, SourceQueue>,
}

impl FairQueue {
    /// Adds a link behind all others of its source.
    pub(super) fn push(&mut self, key: LinkKey) {
        self.added.push_back(key);
    }

    /// Adds a link that yields, behind those that yielded before it. Called while the link has its turn.
    pub(super) fn push_yielded(&mut self, source: &SourceKey, key: LinkKey) {
        let queue = self.sources.entry(source.clone()).or_default();
        queue.yielded.push_back(key);
        queue.yielded_first = false;
    }

    /// Whether the link of this source that has its turn may yield: a fresh link is due, and not too many have yielded.
    pub(super) fn may_yield(&self, source: &SourceKey) -> bool {
        let queue = self.sources.get(source);
        queue.is_some_and(|queue| !queue.fresh.is_empty() && queue.yielded.len() < BATCH)
    }

    /// Whether links of this source yielded and wait for their turn.
    pub(super) fn any_yielded(&self, source: &SourceKey) -> bool {
        self.sources.get(source).is_some_and(|queue| !queue.yielded.is_empty())
    }

    /// Takes out the first link of the first source that is not busy, in the namespace whose turn it is.
    pub(super) fn pop(&mut self, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) -> Option<Next> {
        while let Some(key) = self.added.pop_front() {
            self.insert(key, &source_of);
        }
        while let Some(slot) = self.next_slot() {
            let source = match slot {
                Slot::Link(key) => return Some(Next::without_source(key)),
                Slot::Source(source) => source,
            };
            // A source that was locked meanwhile gets a slot again when it is unlocked.
            let queue = self.sources.get_mut(&source).filter(|queue| !queue.busy);
            let Some((key, yielded)) = queue.and_then(SourceQueue::next) else {
                continue;
            };
            if source_of(&key).is_some_and(|now| now != source) {
                // The link was replaced by one of the same name with another source.
                self.unlock(&source);
                self.insert(key, &source_of);
                continue;
            }
            self.lock(&source);
            return Some(Next {
                key,
                source: Some(source),
                yielded,
            });
        }
        None
    }

    /// Keeps the links of a source from having turns. False if one has a turn already.
    pub(super) fn lock(&mut self, source: &SourceKey) -> bool {
        let queue = self.sources.entry(source.clone()).or_default();
        !std::mem::replace(&mut queue.busy, true)
    }

    /// Lets the links of a source have turns again.
    pub(super) fn unlock(&mut self, source: &SourceKey) {
        let Some(queue) = self.sources.get_mut(source) else {
            return;
        };
        queue.busy = false;
        if queue.len() == 0 {
            self.sources.remove(source);
        } else if queue.turns < BATCH {
            // In front: its links have waited longer than those that came since, and what they share is written sooner.
            self.enqueue(Slot::Source(source.clone()), VecDeque::push_front);
        } else {
            // At the end: a source whose links are due again and again must not keep the others from their turns.
            queue.turns = 0;
            self.enqueue(Slot::Source(source.clone()), VecDeque::push_back);
        }
    }

    /// The number of links.
    pub(super) fn len(&self) -> usize {
        let is_link = |slot: &&Slot| matches!(slot, Slot::Link(_));
        let without_source = self.namespaces.values().flatten().filter(is_link).count();
        self.added.len() + without_source + self.sources.values().map(SourceQueue::len).sum::<usize>()
    }

    fn next_slot(&mut self) -> Option<Slot> {
        let namespace = self.rotation.pop_front()?;
        let queue = self.namespaces.get_mut(&namespace)?;
        let first = queue.pop_front();
        if queue.is_empty() {
            self.namespaces.remove(&namespace);
        } else {
            self.rotation.push_back(namespace);
        }
        first
    }

    fn insert(&mut self, key: LinkKey, source_of: impl Fn(&LinkKey) -> Option<SourceKey>) {
        let Some(source) = source_of(&key) else {
            self.enqueue(Slot::Link(key), VecDeque::push_back);
            return;
        };
        let queue = self.sources.entry(source.clone()).or_default();
        queue.fresh.push_back(key);
        if !queue.busy && queue.len() == 1 {
            self.enqueue(Slot::Source(source), VecDeque::push_back);
        }
    }

    fn enqueue(&mut self, slot: Slot, push: impl FnOnce(&mut VecDeque<Slot>, Slot)) {
        let namespace = match &slot {
            Slot::Source((namespace, _)) => namespace,
            Slot::Link(key) => &key.namespace,
        };
        let namespace = Arc::clone(namespace);
        if !self.namespaces.contains_key(&namespace) {
            self.rotation.push_back(Arc::clone(&namespace));
        }
        push(self.namespaces.entry(namespace).or_default(), slot);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.sources.is_empty()
    }
}
