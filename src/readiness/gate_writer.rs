//! The task that writes readiness gates. Namespaces are served side by side, so one in which requests time out does not
//! delay the others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use instancelink_cluster::{Cache, CallError, Calls, Index, ObjectName, Pods, Watched};
use instancelink_core::readiness;
use instancelink_core::rights::Account;
use k8s_openapi::api::core::v1 as core;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pods::{GatePatch, patch_for};
use crate::clock::Clock;
use crate::events::Publisher;
use crate::leader::Leadership;
use crate::namespace_backoff::NamespaceBackoff;
use crate::namespace_queue::NamespaceQueue;
use crate::reconcile::RecentLinkWrites;
use crate::requested_names::RequestedNames;

/// Namespaces that are served at once.
const NAMESPACES: usize = 16;
/// Writes at once in a namespace, after the first one succeeded.
const WRITES: usize = 8;
/// The backoff after a missing permission. The operator gets no event when the permission is granted, so it has to retry.
/// Most namespaces never grant it.
const AFTER_FORBIDDEN: Duration = Duration::from_mins(5);
const LONG_TIME: Duration = Duration::from_hours(1);

/// Writes readiness gates.
pub(crate) struct GateWriter {
    pub(crate) requests: Arc<RequestedNames>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) calls: Calls,
    pub(crate) events: Publisher,
    pub(crate) leadership: Leadership,
    pub(crate) link_writes: Arc<RecentLinkWrites>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The operator's user name, for manifests in messages.
    pub(crate) account: Account,
}

impl GateWriter {
    /// Writes gates until `stop`, and ends once the requests in flight are answered.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.requests.open();
        let all = |index: &Index| index.pods.gated.members().cloned().collect::<Vec<_>>();
        self.requests.add(self.cache.read(all));
        let backoff = Mutex::new(NamespaceBackoff::after_forbidden(AFTER_FORBIDDEN));
        let mut queue = NamespaceQueue::default();
        let mut serving = FuturesUnordered::new();
        while !stop.is_cancelled() && self.leadership.holds() {
            self.retry(&mut backoff.lock());
            self.requests.take().into_iter().for_each(|pod| queue.add(pod));
            while serving.len() < NAMESPACES
                && let Some((namespace, pods)) = queue.next()
            {
                serving.push(self.serve(namespace, pods, &backoff, &stop));
            }
            let wake = backoff.lock().next_retry();
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.requests.added() => {}
                () = tokio::time::sleep_until(wake.unwrap_or_else(|| Instant::now() + LONG_TIME)) => {}
                Some(namespace) = serving.next() => queue.done(&namespace),
            }
        }
        while serving.next().await.is_some() {}
    }

    /// Requests a check of all pods in the namespaces whose backoff is over, and of those whose pause is.
    fn retry(&self, backoff: &mut NamespaceBackoff) {
        let now = Instant::now();
        self.requests.add(backoff.take_undone(now));
        for namespace in backoff.take_over(now) {
            let gated = |index: &Index| index.pods.gated.get(&*namespace).cloned().collect::<Vec<_>>();
            let pods = self.cache.read(gated);
            if pods.is_empty() {
                backoff.forget(&namespace);
            }
            self.requests.add(pods);
        }
    }

    /// Serves a namespace. The first write goes alone: if the permission is missing, one request shows it.
    async fn serve(
        &self,
        namespace: Arc<str>,
        pods: BTreeSet<ObjectName>,
        backoff: &Mutex<NamespaceBackoff>,
        stop: &CancellationToken,
    ) -> Arc<str> {
        // During the backoff nothing is lost: at its end all pods of the namespace are checked.
        if backoff.lock().is_waiting(&namespace) {
            return namespace;
        }
        let may_write = || self.leadership.holds() && !stop.is_cancelled();
        let mut pods = pods.into_iter();
        for pod in pods.by_ref() {
            let Some(due) = self.due(&pod, backoff).filter(|_| may_write()) else {
                continue;
            };
            let answer = self.write(&pod, &due).await;
            if !self.record(&pod, &due, answer, backoff) {
                return namespace;
            }
            break;
        }
        let writes = futures::stream::iter(pods).map(async |pod| {
            // Computed at the last moment: the link may have changed while the pod waited.
            let due = self.due(&pod, backoff).filter(|_| may_write())?;
            let answer = self.write(&pod, &due).await;
            Some((pod, due, answer))
        });
        let mut writes = std::pin::pin!(writes.buffer_unordered(WRITES));
        while let Some(done) = writes.next().await {
            if let Some((pod, due, answer)) = done {
                self.record(&pod, &due, answer, backoff);
            }
        }
        namespace
    }

    fn patch_for(&self, pod: &ObjectName) -> Option<GatePatch> {
        self.cache
            .read(|index| patch_for(index, pod, &self.link_writes, self.clock.now()))
    }

    /// The patch that is due for a pod now. None while others undo it and the pod waits: it is checked again at the end.
    fn due(&self, pod: &ObjectName, backoff: &Mutex<NamespaceBackoff>) -> Option<GatePatch> {
        let is_paused = |due: &GatePatch| backoff.lock().is_paused(pod, due.content, Instant::now());
        self.patch_for(pod).filter(|due| !is_paused(due))
    }

    async fn write(&self, name: &ObjectName, due: &GatePatch) -> Result<(), CallError> {
        let in_flight = self.cache.begin::<Pods>(name.clone());
        let calls = &self.calls;
        let answer = calls
            .patch_status_by_keys::<core::Pod, _>(Pods::KIND, name, &due.patch)
            .await?;
        in_flight.answered(Pods::reduced(answer));
        Ok(())
    }

    /// Records the answer to a write. False if the namespace must wait for its backoff.
    fn record(
        &self,
        name: &ObjectName,
        due: &GatePatch,
        answer: Result<(), CallError>,
        backoff: &Mutex<NamespaceBackoff>,
    ) -> bool {
        let (namespace, pod) = (&name.namespace, &due.pod.name);
        match answer {
            Ok(()) => {
                let left = self.patch_for(name);
                let is_undone = left.is_some_and(|left| left.content == due.content);
                let mut backoff = backoff.lock();
                if backoff.wrote(name, due.content, is_undone, Instant::now()) {
                    tracing::warn!(
                        %namespace,
                        pod,
                        "another client or a policy changes a readiness gate after each write; writing it again with growing pauses"
                    );
                }
                !backoff.is_waiting(namespace)
            }
            // The pod was deleted or replaced. The watch shows that.
            Err(CallError::NotFound(_)) => true,
            // Admission refuses it for this pod. Others may be written.
            Err(error @ CallError::Refused { .. }) => {
                tracing::warn!(
                    %namespace,
                    pod,
                    %error,
                    "a readiness gate was refused; trying again with growing pauses, and other pods do not wait"
                );
                let mut backoff = backoff.lock();
                backoff.wrote(name, due.content, true, Instant::now());
                !backoff.is_waiting(namespace)
            }
            Err(error) => {
                if backoff.lock().failed(namespace, &error, Instant::now()) {
                    let event = readiness::forbidden(&due.pod, &self.account);
                    tracing::warn!(
                        %namespace,
                        pod,
                        %error,
                        "the operator may not write readiness gates in this namespace; the event of the pod has the \
                         manifest that permits it"
                    );
                    self.events.publish_about_pod(&due.pod, &event);
                } else {
                    tracing::debug!(%namespace, pod, %error, "a readiness gate was not written; retrying");
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
