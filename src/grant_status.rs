//! Writes the status of grants (`contract#grant-status`). Core decides it. One write for each change of a grant; namespaces
//! are served side by side, and the grants of one namespace one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use instancelink_api::InstanceLinkGrant;
use instancelink_cluster::{Cache, CallError, Calls, Grants, Index, Lenient, ObjectName, Stripped, Watched};
use instancelink_core::hash;
use instancelink_core::resolve::grant::status_due;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::leader::Leadership;
use crate::namespace_backoff::NamespaceBackoff;
use crate::namespace_queue::NamespaceQueue;
use crate::requested_names::RequestedNames;

/// Namespaces that are served at once.
const NAMESPACES: usize = 4;
const LONG_TIME: Duration = Duration::from_hours(1);

/// Writes the status of grants.
pub(crate) struct GrantWriter {
    pub(crate) requests: Arc<RequestedNames>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) calls: Calls,
    pub(crate) leadership: Leadership,
    pub(crate) clock: Arc<dyn Clock>,
}

impl GrantWriter {
    /// Writes until `stop`, and ends once the requests in flight are answered.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.requests.open();
        let all = |index: &Index| index.grants.names().cloned().collect::<Vec<_>>();
        self.requests.add(self.cache.read(all));
        let backoff = Mutex::new(NamespaceBackoff::default());
        let mut queue = NamespaceQueue::default();
        let mut serving = FuturesUnordered::new();
        while !stop.is_cancelled() && self.leadership.holds() {
            self.retry(&mut backoff.lock());
            self.requests.take().into_iter().for_each(|grant| queue.add(grant));
            while serving.len() < NAMESPACES
                && let Some((namespace, grants)) = queue.next()
            {
                serving.push(self.serve(namespace, grants, &backoff, &stop));
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

    /// Requests a look at all grants of the namespaces whose backoff is over, and at those whose pause is.
    fn retry(&self, backoff: &mut NamespaceBackoff) {
        let now = Instant::now();
        self.requests.add(backoff.take_undone(now));
        for namespace in backoff.take_over(now) {
            let grants = |index: &Index| index.grants.names_in(&namespace).cloned().collect::<Vec<_>>();
            let grants = self.cache.read(grants);
            if grants.is_empty() {
                backoff.forget(&namespace);
            }
            self.requests.add(grants);
        }
    }

    /// Writes what is due in a namespace, until a write fails.
    async fn serve(
        &self,
        namespace: Arc<str>,
        grants: BTreeSet<ObjectName>,
        backoff: &Mutex<NamespaceBackoff>,
        stop: &CancellationToken,
    ) -> Arc<str> {
        // During the backoff nothing is lost: at its end all grants of the namespace are looked at.
        if backoff.lock().is_waiting(&namespace) {
            return namespace;
        }
        for grant in &grants {
            if !self.leadership.holds() || stop.is_cancelled() {
                break;
            }
            let Some((content, patch)) = self.patch_for(grant) else {
                continue;
            };
            if backoff.lock().is_paused(grant, content, Instant::now()) {
                continue;
            }
            match self.write(grant, &patch).await {
                Ok(is_undone) => {
                    let mut backoff = backoff.lock();
                    if backoff.wrote(grant, content, is_undone, Instant::now()) {
                        tracing::warn!(
                            %grant,
                            "another client or a policy changes the status of a grant after each write; links use the grant all \
                             the same; writing it again with growing pauses"
                        );
                    }
                    if backoff.is_waiting(&namespace) {
                        break;
                    }
                }
                // The grant was deleted meanwhile. The watch shows that.
                Err(CallError::NotFound(_) | CallError::Terminating(_)) => backoff.lock().succeeded(&namespace),
                // The grant was changed, and the watch shows it soon. Other conflicts change nothing that it shows.
                Err(error @ CallError::Conflict(_)) => {
                    backoff.lock().failed(&namespace, &error, Instant::now());
                    break;
                }
                Err(error) => {
                    tracing::warn!(
                        %grant,
                        %error,
                        "the status of a grant was not written; links use the grant all the same; retrying"
                    );
                    let mut backoff = backoff.lock();
                    if matches!(error, CallError::Refused { .. }) {
                        // Admission refuses it for this grant. Others may be written.
                        backoff.wrote(grant, content, true, Instant::now());
                    } else {
                        backoff.failed(&namespace, &error, Instant::now());
                    }
                    if backoff.is_waiting(&namespace) {
                        break;
                    }
                }
            }
        }
        namespace
    }

    /// A hash of what a grant's status says, and its patch, if one is due. The grant must still be the one that was decided
    /// about.
    fn patch_for(&self, name: &ObjectName) -> Option<(i64, Value)> {
        let grant = self.cache.read(|index| index.grants.get(name).cloned())?;
        let status = status_due(&grant, self.clock.now())?;
        let said = status
            .conditions
            .iter()
            .map(|c| (&c.status, &c.message, c.observed_generation));
        let content = hash::bits52(&format!("{} {:?}", grant.uid, said.collect::<Vec<_>>()));
        let metadata = json!({ "uid": grant.uid, "resourceVersion": grant.resource_version });
        Some((content, json!({ "metadata": metadata, "status": status })))
    }

    /// Sends a patch. True if the answer does not have what was written. The answer does not go into the cache: a grant that we
    /// wrote and the watch has not shown yet would stay there if it is deleted while the watch lists again, and consent after
    /// its deletion.
    async fn write(&self, name: &ObjectName, patch: &Value) -> Result<bool, CallError> {
        let answer = self
            .calls
            .patch::<InstanceLinkGrant, Lenient<Stripped<InstanceLinkGrant>>>(Grants::KIND, name, Some("status"), patch)
            .await?;
        Ok(status_due(&Grants::reduced(answer).item, self.clock.now()).is_some())
    }
}

#[cfg(test)]
mod tests;
