//! What waits until an event about it may be sent, by namespace.

use std::collections::{BTreeMap, VecDeque};

/// Items of one namespace that wait. A person reads the events about the first ones; more of them say the same.
const OF_NAMESPACE: usize = 64;
/// Items that wait in all.
const IN_ALL: usize = 1024;

/// Items that wait. Namespaces take turns, so that one with many items delays the others by one item each.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    items: BTreeMap<String, VecDeque<T>>,
    /// The namespaces with items, each once.
    turns: VecDeque<String>,
    count: usize,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            turns: VecDeque::new(),
            count: 0,
        }
    }
}

impl<T> Waiting<T> {
    /// Adds an item. False if an item was dropped for it, or it was dropped itself: that is one of the namespace with the
    /// most items.
    pub(crate) fn push(&mut self, namespace: String, item: T) -> bool {
        let own = self.items.get(&namespace).map_or(0, VecDeque::len);
        if own >= OF_NAMESPACE {
            return false;
        }
        let is_full = self.count >= IN_ALL;
        if is_full && !self.drop_one_of_a_longer_queue(own + 1) {
            return false;
        }
        let items = self.items.entry(namespace.clone()).or_default();
        if items.is_empty() {
            self.turns.push_back(namespace);
        }
        items.push_back(item);
        self.count += 1;
        !is_full
    }

    /// Takes the next item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let namespace = self.turns.pop_front()?;
        let items = self.items.get_mut(&namespace)?;
        let item = items.pop_front();
        if items.is_empty() {
            self.items.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        self.count -= usize::from(item.is_some());
        item
    }

    /// True if no item waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Drops the newest item of the namespace with the most items, if it has more than this number.
    fn drop_one_of_a_longer_queue(&mut self, than: usize) -> bool {
        let longest = self.items.values_mut().max_by_key(|items| items.len());
        let Some(longest) = longest.filter(|items| items.len() > than) else {
            return false;
        };
        longest.pop_back();
        self.count -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(waiting: &mut Waiting<String>, namespace: &str, name: &str) -> bool {
        waiting.push(namespace.to_owned(), name.to_owned())
    }

    #[test]
    fn namespaces_take_turns() {
        let mut waiting = Waiting::default();
        for (namespace, name) in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")] {
            assert!(push(&mut waiting, namespace, name));
        }
        let order: Vec<_> = std::iter::from_fn(|| waiting.pop()).collect();
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_namespace_with_very_many_items_loses_only_its_own() {
        let mut waiting = Waiting::default();
        for number in 0..5000 {
            push(&mut waiting, "loud", &number.to_string());
        }
        assert!(push(&mut waiting, "quiet", "heard"));
        assert_eq!(waiting.count, OF_NAMESPACE + 1);
        assert_eq!(waiting.pop().as_deref(), Some("0"), "the first of them count");
        assert_eq!(waiting.pop().as_deref(), Some("heard"));
    }

    #[test]
    fn many_namespaces_with_many_items_do_not_keep_out_one_with_its_first() {
        let mut waiting = Waiting::default();
        for number in 0..IN_ALL {
            push(&mut waiting, &format!("loud-{}", number % 20), "x");
        }
        push(&mut waiting, "quiet", "heard");
        assert_eq!(waiting.count, IN_ALL);
        let all: Vec<_> = std::iter::from_fn(|| waiting.pop()).collect();
        assert_eq!(all.len(), IN_ALL);
        assert!(all.iter().any(|name| name == "heard"));
    }

    #[test]
    fn a_thousand_namespaces_with_one_item_each_keep_the_queue_bounded() {
        let mut waiting = Waiting::default();
        for number in 0..2 * IN_ALL {
            push(&mut waiting, &number.to_string(), "x");
        }
        assert_eq!(waiting.count, IN_ALL);
    }
}
