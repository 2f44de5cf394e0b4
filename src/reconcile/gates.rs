//! Writes the readiness gates of pods that wait for their links, in the namespaces that gave the right to it. Core says
//! which conditions are due; a pod without such a gate never comes here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use instancelink_api::InstanceLink;
use instancelink_core::child::Owner;
use instancelink_core::readiness;
use instancelink_core::rights::Account;
use instancelink_core::snapshot::Pod;
use k8s_openapi::api::core::v1 as core;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::events::Publisher;
use super::patience::Patience;
use crate::clock::Clock;
use crate::leader::lease::Leadership;
use instancelink_cluster::index::workloads::set_kind;
use instancelink_cluster::{Cache, CallError, Calls, Index, ObjectName, Pods, Watched};

/// Writes at once, where the right to them was seen to be there.
const WIDTH: usize = 8;
const A_LONG_TIME: Duration = Duration::from_hours(1);

/// Where the caches leave pods whose gates are to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// None while nobody serves gates: whoever begins to looks at every pod.
    due: Mutex<Option<BTreeSet<ObjectName>>>,
    rung: Notify,
}

impl Bell {
    /// Look at these pods.
    pub(crate) fn ring(&self, pods: impl IntoIterator<Item = ObjectName>) {
        let mut pods = pods.into_iter().peekable();
        if pods.peek().is_none() {
            return;
        }
        if let Some(due) = self.due.lock().as_mut() {
            due.extend(pods);
            self.rung.notify_one();
        }
    }

    fn open(&self) {
        *self.due.lock() = Some(BTreeSet::new());
    }

    fn take(&self) -> BTreeSet<ObjectName> {
        self.due.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}

/// Serves readiness gates.
pub(crate) struct Gatekeeper {
    pub(crate) bell: Arc<Bell>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) calls: Calls,
    pub(crate) events: Publisher,
    pub(crate) leadership: Leadership,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) account: Account,
}

/// A write that is due.
struct Due {
    pod: Arc<Pod>,
    patch: serde_json::Value,
}

impl Gatekeeper {
    /// Serves gates until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        self.bell.open();
        let everywhere = |index: &Index| index.pods.gated.members().cloned().collect::<Vec<_>>();
        self.bell.ring(self.cache.read(everywhere));
        let mut patience = Patience::default();
        loop {
            let wake = patience.next().unwrap_or_else(|| Instant::now() + A_LONG_TIME);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.rung.notified() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
            for namespace in patience.over(Instant::now()) {
                let here = |index: &Index| index.pods.gated.get(&*namespace).cloned().collect::<Vec<_>>();
                let pods = self.cache.read(here);
                if pods.is_empty() {
                    patience.forget(&namespace);
                }
                self.bell.ring(pods);
            }
            for (namespace, pods) in by_namespace(self.bell.take()) {
                if stop.is_cancelled() || !self.leadership.holds() {
                    return;
                }
                // Once its time is over the whole namespace is looked at.
                if !patience.waits(&namespace) {
                    self.serve(&namespace, pods, &mut patience).await;
                }
            }
        }
    }

    /// The first write goes alone: where the right is missing, one request is enough to know it.
    async fn serve(&self, namespace: &Arc<str>, pods: Vec<ObjectName>, patience: &mut Patience) {
        let mut pods = pods.into_iter();
        for pod in pods.by_ref() {
            let Some(due) = self.due(&pod) else { continue };
            let answer = self.write(&pod, &due).await;
            if !self.settle(namespace, &due, answer, patience) {
                return;
            }
            break;
        }
        let writes = futures::stream::iter(pods).map(async |pod| {
            // Decided only now: the link may have gone on since its turn came.
            let due = self.due(&pod).filter(|_| self.leadership.holds())?;
            let answer = self.write(&pod, &due).await;
            Some((due, answer))
        });
        let mut writes = std::pin::pin!(writes.buffer_unordered(WIDTH));
        while let Some(done) = writes.next().await {
            if let Some((due, answer)) = done {
                self.settle(namespace, &due, answer, patience);
            }
        }
    }

    fn due(&self, name: &ObjectName) -> Option<Due> {
        self.cache.read(|index| {
            let pod = index.pods.table.get(name)?;
            let instances = instances_of(index, pod)?;
            let links = links_of(index, name, &instances);
            let links: Vec<&InstanceLink> = links.iter().map(AsRef::as_ref).collect();
            let conditions = readiness::due(pod, &instances, &links, self.clock.now());
            // The UID, so that a successor of the name is not told what its predecessor had coming.
            (!conditions.is_empty()).then(|| Due {
                pod: Arc::clone(pod),
                patch: json!({ "metadata": { "uid": pod.uid }, "status": { "conditions": conditions } }),
            })
        })
    }

    async fn write(&self, name: &ObjectName, due: &Due) -> Result<(), CallError> {
        let in_flight = self.cache.begin::<Pods>(name.clone());
        let calls = &self.calls;
        let answer = calls
            .patch_status_by_keys::<core::Pod, _>(Pods::KIND, name, &due.patch)
            .await?;
        in_flight.answered(Pods::reduce(answer));
        Ok(())
    }

    /// False where the namespace is to be left alone for a while.
    fn settle(&self, namespace: &Arc<str>, due: &Due, answer: Result<(), CallError>, patience: &mut Patience) -> bool {
        let pod = &due.pod.name;
        match answer {
            Ok(()) => {
                patience.succeeded(namespace);
                true
            }
            // It went, or is another one: the watch brings that.
            Err(CallError::NotFound(_)) => true,
            Err(error) => {
                if patience.failed(namespace, &error, Instant::now()) {
                    let event = readiness::forbidden(&due.pod, &self.account);
                    tracing::warn!(
                        %namespace,
                        pod,
                        %error,
                        "the operator may not write readiness gates here; the pod's event has the manifest to apply"
                    );
                    self.events.publish_about_pod(&due.pod, &event);
                } else {
                    tracing::debug!(%namespace, pod, %error, "a readiness gate was not written; trying again");
                }
                false
            }
        }
    }
}

fn by_namespace(pods: BTreeSet<ObjectName>) -> BTreeMap<Arc<str>, Vec<ObjectName>> {
    let mut namespaces: BTreeMap<Arc<str>, Vec<ObjectName>> = BTreeMap::new();
    for pod in pods {
        namespaces.entry(Arc::clone(&pod.namespace)).or_default().push(pod);
    }
    namespaces
}

/// The pod itself and what owns it, nearest first; none where that is not known yet.
fn instances_of(index: &Index, pod: &Pod) -> Option<Vec<Owner>> {
    let itself = Owner {
        api_version: "v1".to_owned(),
        kind: Pods::KIND.to_owned(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
    };
    let mut instances = vec![itself];
    instances.extend(pod.controller.clone());
    if let Some(owner) = &pod.controller
        && set_kind(owner).is_some()
    {
        let set = index.workloads.set(&pod.namespace, owner);
        instances.extend(set?.controller.clone());
    }
    Some(instances)
}

/// The links whose source has the name of one of these.
fn links_of(index: &Index, pod: &ObjectName, instances: &[Owner]) -> Vec<Arc<InstanceLink>> {
    let names: BTreeSet<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    let links = names
        .into_iter()
        .flat_map(|name| index.links.of_source(&pod.namespace, name));
    links
        .filter_map(|key| index.links.table.get(key))
        .map(|link| link.object(&index.recent))
        .collect()
}
