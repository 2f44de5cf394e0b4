//! Events that wait until they may be sent, by namespace.

use std::collections::{BTreeMap, VecDeque};

use k8s_openapi::api::events::v1::Event as ApiEvent;

/// Events of one namespace that wait. A person reads the first ones; more of them say the same.
const OF_NAMESPACE: usize = 64;
/// Events that wait in all.
const IN_ALL: usize = 1024;

/// Events that wait. Namespaces take turns, so that one with many events delays the others by one event each.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: BTreeMap<String, VecDeque<ApiEvent>>,
    /// The namespaces with events, each once.
    turns: VecDeque<String>,
    count: usize,
}

impl Waiting {
    /// Adds an event. False if an event was dropped for it, or it was dropped itself: that is one of the namespace with the
    /// most events.
    pub(super) fn push(&mut self, event: ApiEvent) -> bool {
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let own = self.events.get(&namespace).map_or(0, VecDeque::len);
        if own >= OF_NAMESPACE {
            return false;
        }
        let is_full = self.count >= IN_ALL;
        if is_full && !self.drop_one_of_a_longer_queue(own + 1) {
            return false;
        }
        let events = self.events.entry(namespace.clone()).or_default();
        if events.is_empty() {
            self.turns.push_back(namespace);
        }
        events.push_back(event);
        self.count += 1;
        !is_full
    }

    /// Takes the next event.
    pub(super) fn pop(&mut self) -> Option<ApiEvent> {
        let namespace = self.turns.pop_front()?;
        let events = self.events.get_mut(&namespace)?;
        let event = events.pop_front();
        if events.is_empty() {
            self.events.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        self.count -= usize::from(event.is_some());
        event
    }

    /// True if no event waits.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Drops the newest event of the namespace with the most events, if it has more than this number.
    fn drop_one_of_a_longer_queue(&mut self, than: usize) -> bool {
        let longest = self.events.values_mut().max_by_key(|events| events.len());
        let Some(longest) = longest.filter(|events| events.len() > than) else {
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

    fn event(namespace: &str, name: &str) -> ApiEvent {
        let mut event = ApiEvent::default();
        event.metadata.namespace = Some(namespace.to_owned());
        event.metadata.name = Some(name.to_owned());
        event
    }

    fn pop(waiting: &mut Waiting) -> Option<String> {
        waiting.pop()?.metadata.name
    }

    #[test]
    fn namespaces_take_turns() {
        let mut waiting = Waiting::default();
        for (namespace, name) in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")] {
            assert!(waiting.push(event(namespace, name)));
        }
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut waiting)).collect();
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_namespace_with_very_many_events_loses_only_its_own() {
        let mut waiting = Waiting::default();
        for number in 0..5000 {
            waiting.push(event("loud", &number.to_string()));
        }
        assert!(waiting.push(event("quiet", "heard")));
        assert_eq!(waiting.count, OF_NAMESPACE + 1);
        assert_eq!(pop(&mut waiting).as_deref(), Some("0"), "the first of them count");
        assert_eq!(pop(&mut waiting).as_deref(), Some("heard"));
    }

    #[test]
    fn many_namespaces_with_many_events_do_not_keep_out_one_with_its_first() {
        let mut waiting = Waiting::default();
        for number in 0..IN_ALL {
            waiting.push(event(&format!("loud-{}", number % 20), "x"));
        }
        waiting.push(event("quiet", "heard"));
        assert_eq!(waiting.count, IN_ALL);
        let all: Vec<_> = std::iter::from_fn(|| pop(&mut waiting)).collect();
        assert_eq!(all.len(), IN_ALL);
        assert!(all.iter().any(|name| name == "heard"));
    }

    #[test]
    fn a_thousand_namespaces_with_one_event_each_keep_the_queue_bounded() {
        let mut waiting = Waiting::default();
        for number in 0..2 * IN_ALL {
            waiting.push(event(&number.to_string(), "x"));
        }
        assert_eq!(waiting.count, IN_ALL);
    }
}
