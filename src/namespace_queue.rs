//! Objects that wait for a look, by namespace. Namespaces are first in, first out, and one that is being served is not handed
//! out a second time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use instancelink_cluster::ObjectName;

/// Namespaces with objects that wait for a look.
#[derive(Debug, Default)]
pub(crate) struct NamespaceQueue {
    names: BTreeMap<Arc<str>, BTreeSet<ObjectName>>,
    /// The namespaces that have such objects and are not being served.
    order: VecDeque<Arc<str>>,
    served: BTreeSet<Arc<str>>,
}

impl NamespaceQueue {
    /// Adds an object.
    pub(crate) fn add(&mut self, name: ObjectName) {
        let namespace = Arc::clone(&name.namespace);
        let names = self.names.entry(Arc::clone(&namespace)).or_default();
        if names.is_empty() && !self.served.contains(&namespace) {
            self.order.push_back(namespace);
        }
        names.insert(name);
    }

    /// Takes the next namespace with its objects. It is being served until [`done`](Self::done).
    pub(crate) fn next(&mut self) -> Option<(Arc<str>, BTreeSet<ObjectName>)> {
        let namespace = self.order.pop_front()?;
        let names = self.names.remove(&namespace)?;
        self.served.insert(Arc::clone(&namespace));
        Some((namespace, names))
    }

    /// A namespace has been served.
    pub(crate) fn done(&mut self, namespace: &Arc<str>) {
        self.served.remove(namespace);
        if self.names.contains_key(namespace) {
            self.order.push_back(Arc::clone(namespace));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &mut NamespaceQueue) -> Option<(String, usize)> {
        let (namespace, pods) = queue.next()?;
        Some((namespace.to_string(), pods.len()))
    }

    #[test]
    fn a_namespace_is_served_once_at_a_time_and_keeps_what_comes_meanwhile() {
        let mut queue = NamespaceQueue::default();
        queue.add(ObjectName::new("shop", "a"));
        queue.add(ObjectName::new("shop", "b"));
        assert_eq!(next(&mut queue), Some(("shop".to_owned(), 2)));
        queue.add(ObjectName::new("shop", "a"));
        assert_eq!(next(&mut queue), None);
        queue.done(&"shop".into());
        assert_eq!(next(&mut queue), Some(("shop".to_owned(), 1)));
        queue.done(&"shop".into());
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn a_namespace_with_requests_without_a_pause_does_not_keep_the_others_waiting() {
        let mut queue = NamespaceQueue::default();
        queue.add(ObjectName::new("a", "p"));
        queue.add(ObjectName::new("b", "p"));
        assert_eq!(next(&mut queue), Some(("a".to_owned(), 1)));
        queue.add(ObjectName::new("a", "p"));
        queue.done(&"a".into());
        assert_eq!(next(&mut queue), Some(("b".to_owned(), 1)));
    }
}
