//! Kubernetes events (`contract#events`). They are sent if the queue has room and the API server accepts them. No pass waits
//! for an event. Namespaces take turns: one with very many events loses its own, and no other's.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Fuse, FusedFuture as _};
use instancelink_api::condition::Reason;
use instancelink_api::{InstanceLink, keys};
use instancelink_core::child::Key;
use instancelink_core::effect::Event;
use instancelink_core::resolve::reference::shown_target;
use instancelink_core::snapshot::{Pod, Snapshot, TargetObject};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as ApiEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use serde::de::IgnoredAny;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, MissedTickBehavior};

use crate::clock::Clock;
use crate::telemetry::metrics::Metrics;
use crate::waiting::Waiting;
use instancelink_cluster::{Calls, ObjectName, UnusableObject};

/// The API server's limit for a note, in bytes.
const MAX_NOTE: usize = 1024;
/// Events on their way to the sender, which takes them at once.
const CAPACITY: usize = 1024;
/// Events that may be sent at once, and the time until one more may be sent.
const BURST: u32 = 50;
const REFILL: Duration = Duration::from_millis(100);

/// Queues events. Passes and the gate writer have one.
#[derive(Clone)]
pub(crate) struct Publisher {
    queue: mpsc::Sender<ApiEvent>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    reporter: Arc<str>,
}

/// Sends the queued events.
pub(crate) struct Sender {
    /// Locked while the sender runs. After a panic, the next run continues with the same events.
    queue: Mutex<(mpsc::Receiver<ApiEvent>, Waiting<ApiEvent>)>,
    calls: Calls,
    metrics: Arc<Metrics>,
}

/// The two ends of the queue of events.
pub(crate) fn channel(
    calls: Calls,
    metrics: &Arc<Metrics>,
    clock: Arc<dyn Clock>,
    reporter: &str,
) -> (Publisher, Sender) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let publisher = Publisher {
        queue: sender,
        metrics: Arc::clone(metrics),
        clock,
        reporter: reporter.into(),
    };
    let sender = Sender {
        queue: Mutex::new((receiver, Waiting::default())),
        calls,
        metrics: Arc::clone(metrics),
    };
    (publisher, sender)
}

impl Publisher {
    /// Queues an event about the snapshot's link. If the queue is full, the event is dropped and counted.
    pub(crate) fn publish(&self, snapshot: &Snapshot, event: &Event) {
        let link = reference_of(&snapshot.link.object);
        let related = shown_target(snapshot).map(target_reference);
        self.enqueue(link, related, event);
    }

    /// The same about a pod.
    pub(crate) fn publish_about_pod(&self, pod: &Pod, event: &Event) {
        self.enqueue(pod_reference(pod), None, event);
    }

    /// The same about a child whose link does not exist.
    pub(crate) fn publish_about_child(&self, child: &Key, uid: &str, event: &Event) {
        self.enqueue(child_reference(child, uid), None, event);
    }

    /// The same about an object that cannot be used.
    pub(crate) fn publish_about_unusable(&self, object: &UnusableObject) {
        let event = Event {
            warning: true,
            reason: Reason::Unusable.as_str().to_owned(),
            action: "Read".to_owned(),
            note: object.why.note(&object.api_kind.kind),
        };
        self.enqueue(unusable_reference(object), None, &event);
    }

    fn enqueue(&self, regarding: ObjectReference, related: Option<ObjectReference>, event: &Event) {
        let event = build_event(regarding, related, event, self.clock.as_ref(), &self.reporter);
        if self.queue.try_send(event).is_err() {
            self.metrics.count_event("dropped");
        }
    }
}

impl Sender {
    /// Sends events until all publishers are dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut queue = self.queue.lock().await;
        let (arriving, waiting) = &mut *queue;
        let mut tokens = BURST;
        let mut refill = tokio::time::interval_at(Instant::now() + REFILL, REFILL);
        refill.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut sending = std::pin::pin!(Fuse::terminated());
        let mut is_open = true;
        loop {
            if tokens > 0
                && sending.is_terminated()
                && let Some(event) = waiting.pop()
            {
                tokens = tokens.saturating_sub(1);
                sending.set(self.send(event).fuse());
            }
            if !is_open && waiting.is_empty() && sending.is_terminated() {
                return;
            }
            tokio::select! {
                _ = refill.tick() => tokens = tokens.saturating_add(1).min(BURST),
                () = &mut sending, if !sending.is_terminated() => {}
                // Events are taken while another one is being sent, so that those of one namespace cannot fill the way for all.
                event = arriving.recv(), if is_open => match event {
                    Some(event) => {
                        let namespace = event.metadata.namespace.clone().unwrap_or_default();
                        if !waiting.push(namespace, event) {
                            self.metrics.count_event("dropped");
                        }
                    }
                    None => is_open = false,
                },
            }
        }
    }

    async fn send(&self, event: ApiEvent) {
        let name = ObjectName::of(&event.metadata);
        match self.calls.create("Event", &name, &event).await {
            Ok(IgnoredAny) => self.metrics.count_event("sent"),
            Err(error) => {
                self.metrics.count_event("failed");
                tracing::debug!(event = %name, %error, "an event was not sent");
            }
        }
    }
}

fn build_event(
    regarding: ObjectReference,
    related: Option<ObjectReference>,
    event: &Event,
    clock: &dyn Clock,
    reporter: &str,
) -> ApiEvent {
    let now = clock.now();
    // With the time behind it, the name has at most the 253 characters that the API server allows.
    let name = cut(regarding.name.as_deref().unwrap_or_default(), 220);
    let name = name.trim_end_matches(['.', '-']);
    ApiEvent {
        metadata: ObjectMeta {
            // Events about cluster-scoped objects are in this namespace.
            namespace: regarding.namespace.clone().or_else(|| Some("default".to_owned())),
            name: Some(format!("{name}.{:x}", now.as_nanosecond())),
            ..ObjectMeta::default()
        },
        action: Some(cut(&event.action, 128)),
        reason: Some(cut(&event.reason, 128)),
        type_: Some(if event.warning { "Warning" } else { "Normal" }.to_owned()),
        note: Some(cut(&event.note, MAX_NOTE)),
        event_time: Some(MicroTime(now)),
        regarding: Some(regarding),
        related,
        reporting_controller: Some(keys::GROUP.to_owned()),
        reporting_instance: Some(cut(reporter, 128)),
        ..ApiEvent::default()
    }
}

fn reference_of(link: &InstanceLink) -> ObjectReference {
    ObjectReference {
        api_version: Some(keys::API_VERSION.to_owned()),
        kind: Some(keys::KIND.to_owned()),
        namespace: link.metadata.namespace.clone(),
        name: link.metadata.name.clone(),
        uid: link.metadata.uid.clone(),
        resource_version: link.metadata.resource_version.clone(),
        field_path: None,
    }
}

fn pod_reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(pod.namespace.clone()),
        name: Some(pod.name.clone()),
        uid: Some(pod.uid.clone()),
        ..ObjectReference::default()
    }
}

fn child_reference(child: &Key, uid: &str) -> ObjectReference {
    let api_version = match child.kind.group() {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    };
    ObjectReference {
        api_version: Some(api_version),
        kind: Some(child.kind.as_str().to_owned()),
        namespace: Some(child.namespace.clone()),
        name: Some(child.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

fn unusable_reference(object: &UnusableObject) -> ObjectReference {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ObjectReference {
        api_version: text(&object.api_kind.api_version),
        kind: text(&object.api_kind.kind),
        namespace: text(&object.name.namespace),
        name: text(&object.name.name),
        uid: text(&object.uid),
        resource_version: text(&object.resource_version),
        field_path: None,
    }
}

fn target_reference(target: &TargetObject) -> ObjectReference {
    ObjectReference {
        api_version: Some(target.api_version().to_owned()),
        kind: Some(target.kind().to_owned()),
        namespace: Some(target.namespace().to_owned()),
        name: Some(target.name().to_owned()),
        uid: Some(target.uid().to_owned()),
        ..ObjectReference::default()
    }
}

/// Cuts a text to this many bytes, between two characters.
fn cut(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
