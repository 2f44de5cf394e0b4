//! Pods that wait for a check, by namespace. Namespaces are first in, first out, and one that is being served is not handed
//! out a second time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use instancelink_cluster::ObjectName;

/// Namespaces with pods that wait for a check.
#[derive(Debug, Default)]
pub(super) struct NamespaceQueue {
    pods: BTreeMap<Arc<str>, BTreeSet<ObjectName>>,
    /// The namespaces that have pods and are not being served.
    order: VecDeque<Arc<str>>,
    served: BTreeSet<Arc<str>>,
}

impl NamespaceQueue {
    /// Adds a pod.
    pub(super) fn add(&mut self, pod: ObjectName) {
        let namespace = Arc::clone(&pod.namespace);
        let pods = self.pods.entry(Arc::clone(&namespace)).or_default();
        if pods.is_empty() && !self.served.contains(&namespace) {
            self.order.push_back(namespace);
        }
        pods.insert(pod);
    }

    /// Takes the next namespace with its pods. It is being served until [`done`](Self::done).
    pub(super) fn next(&mut self) -> Option<(Arc<str>, BTreeSet<ObjectName>)> {
        let namespace = self.order.pop_front()?;
        let pods = self.pods.remove(&namespace)?;
        self.served.insert(Arc::clone(&namespace));
        Some((namespace, pods))
    }

    /// A namespace has been served.
    pub(super) fn done(&mut self, namespace: &Arc<str>) {
        self.served.remove(namespace);
        if self.pods.contains_key(namespace) {
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
