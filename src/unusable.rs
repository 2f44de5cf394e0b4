//! Tells of objects that exist and cannot be used (contract#unusable-objects): one log line in each process, and one event
//! by the leader. The metric is filled at each scrape.

use std::sync::Arc;

use instancelink_cluster::affects::Namespaces;
use instancelink_cluster::{Cache, Links, UnusableObject, Watched};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::events::Publisher;
use crate::waiting::Waiting;

/// The objects whose event was not published yet. A follower keeps them until it leads. Of a namespace with very many, only the
/// first wait: the log and the metric have the others.
#[derive(Debug, Default)]
pub(crate) struct UnusableObjects {
    waiting: Mutex<Waiting<UnusableObject>>,
    added: Notify,
}

impl UnusableObjects {
    /// Logs that an object cannot be used. The event follows.
    pub(crate) fn add(&self, object: UnusableObject) {
        tracing::warn!(
            kind = %object.api_kind.kind,
            namespace = %object.name.namespace,
            name = %object.name.name,
            resource_version = object.resource_version,
            reason = %object.why,
            "an object cannot be used, so links take nothing from it; correct the field that the reason names"
        );
        if has_event(&object) {
            self.waiting.lock().push(owner_of(&object), object);
        }
        self.added.notify_one();
    }

    /// Publishes an event about each object that still cannot be used, until `stop`.
    pub(crate) async fn publish(self: Arc<Self>, cache: Arc<Cache>, events: Publisher, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let mut waiting = std::mem::take(&mut *self.waiting.lock());
            while let Some(object) = waiting.pop() {
                if cache.is_unusable(&object) {
                    events.publish_about_unusable(&object);
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.added.notified() => {}
            }
        }
    }
}

/// A link that cannot be read says so by itself, unless only its status is concerned. No event can be about an object
/// without a name.
fn has_event(object: &UnusableObject) -> bool {
    let says_so = object.kind == Links::KIND && object.why.status_field().is_none();
    !says_so && !object.name.name.is_empty()
}

/// The namespace whose turn it is for this object. A namespace is an object of its own tenant.
fn owner_of(object: &UnusableObject) -> String {
    let is_namespace = object.kind == Namespaces::KIND;
    let name = if is_namespace {
        &object.name.name
    } else {
        &object.name.namespace
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Request, Response};
    use instancelink_cluster::{Affected, Calls, Grants, Lenient, Listener, Meter};
    use kube::Client;
    use kube::client::Body;
    use kube::runtime::watcher::Event;
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::SystemClock;
    use crate::events;
    use crate::telemetry::gauges::Numbers;
    use crate::telemetry::metrics::Metrics;

    struct Router(Arc<UnusableObjects>);

    impl Listener for Router {
        fn affected(&self, _: Affected) {}
        fn listed(&self, _: &'static str, _: u64) {}
        fn unusable(&self, object: UnusableObject) {
            self.0.add(object);
        }
    }

    fn grant_in(namespace: &str, name: &str) -> Event<Lenient<<Grants as Watched>::Raw>> {
        let grant = json!({
            "metadata": {"namespace": namespace, "name": name, "uid": "u", "resourceVersion": "1"},
            "spec": {"from": [], "to": 1},
        });
        Event::Apply(serde_json::from_value(grant).unwrap())
    }

    fn grant(name: &str, version: u64, to: &Value) -> Event<Lenient<<Grants as Watched>::Raw>> {
        let grant = json!({
            "metadata": {"namespace": "data", "name": name, "uid": "u", "resourceVersion": version.to_string()},
            "spec": {"from": [], "to": to},
        });
        Event::Apply(serde_json::from_value(grant).unwrap())
    }

    /// An API server that keeps the events that it gets.
    fn client(sent: &Arc<Mutex<Vec<Value>>>) -> Client {
        let sent = Arc::clone(sent);
        let serve = tower::service_fn(move |request: Request<Body>| {
            let sent = Arc::clone(&sent);
            async move {
                let body = request.into_body().collect_bytes().await.unwrap();
                sent.lock().push(serde_json::from_slice(&body).unwrap());
                Ok::<_, std::convert::Infallible>(Response::new(Body::from(b"{}".to_vec())))
            }
        });
        Client::new(serve, "system")
    }

    /// contract#unusable-objects
    #[tokio::test(start_paused = true)]
    async fn an_object_that_cannot_be_used_has_one_event_once_the_operator_leads() {
        let objects = Arc::new(UnusableObjects::default());
        let cache = Arc::new(Cache::new(&[], Arc::new(Router(Arc::clone(&objects)))));
        for version in 1..4 {
            cache.observe::<Grants>(grant("broken", version, &json!(version)));
        }
        cache.observe::<Grants>(grant("mended", 5, &json!("x")));
        cache.observe::<Grants>(grant("mended", 6, &json!([])));
        let sent = Arc::default();
        let metrics = Arc::new(Metrics::new());
        let calls = Calls::new(client(&sent), Arc::clone(&metrics) as Arc<dyn Meter>);
        let (publisher, sender) = events::channel(calls, &metrics, Arc::new(SystemClock), "test");
        let stop = CancellationToken::new();
        tokio::spawn(Arc::new(sender).run());
        tokio::spawn(Arc::clone(&objects).publish(Arc::clone(&cache), publisher, stop));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sent: Vec<Value> = std::mem::take(&mut *sent.lock());
        let [event] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(event["reason"], "Unusable");
        assert_eq!(event["regarding"]["kind"], "InstanceLinkGrant");
        assert_eq!(event["regarding"]["name"], "broken");
        let note = event["note"].as_str().unwrap();
        assert!(
            note.starts_with("the field spec.to cannot be read (expected a sequence), so"),
            "{note}"
        );
        let text = metrics.render(&Numbers::of(&cache, 0));
        let line = "instancelink_unusable_objects{kind=\"InstanceLinkGrant\",reason=\"unreadable\"} 1";
        assert!(text.contains(line), "{text}");
    }

    /// contract#unusable-objects
    #[tokio::test(start_paused = true)]
    async fn very_many_objects_of_one_tenant_that_cannot_be_used_do_not_take_the_event_of_another() {
        let objects = Arc::new(UnusableObjects::default());
        let cache = Arc::new(Cache::new(&[], Arc::new(Router(Arc::clone(&objects)))));
        cache.observe::<Grants>(grant_in("quiet", "first"));
        for number in 0..2000 {
            cache.observe::<Grants>(grant_in("loud", &number.to_string()));
        }
        cache.observe::<Grants>(grant_in("quiet", "last"));
        let sent = Arc::default();
        let metrics = Arc::new(Metrics::new());
        let calls = Calls::new(client(&sent), Arc::clone(&metrics) as Arc<dyn Meter>);
        let (publisher, sender) = events::channel(calls, &metrics, Arc::new(SystemClock), "test");
        tokio::spawn(Arc::new(sender).run());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&objects).publish(Arc::clone(&cache), publisher, stop));
        tokio::time::sleep(Duration::from_mins(1)).await;
        let sent: Vec<Value> = std::mem::take(&mut *sent.lock());
        let of_quiet = sent.iter().filter(|event| event["regarding"]["namespace"] == "quiet");
        assert_eq!(of_quiet.count(), 2, "{sent:?}");
        assert!(sent.len() < 100, "{}", sent.len());
    }
}
