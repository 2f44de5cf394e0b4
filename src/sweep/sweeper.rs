//! The task that sweeps. Its writes are not recorded in the caches: the watch brings them, and so gives the links that they
//! concern a pass.

mod removal;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::orphans::{self, OrphanSearch, observed_child, source_of};
use instancelink_cluster::{Cache, CallError, Calls, SourceKey};
use instancelink_core::child::{Key, ObservedChild};
use instancelink_core::sweep::{LiveCheck, verdict};
use tokio_util::sync::CancellationToken;

use super::live::Live;
use super::portions::{Backlog, Portion};
use super::requests::{Scope, SweepRequests};
use crate::events::Publisher;
use crate::leader::Leadership;
use crate::queue::Queue;
use crate::reconcile::Executor;
use crate::telemetry::metrics::Metrics;

/// Time until a child is checked again that changed between the check and the write. The watch shows the change by then.
const AFTER_CONFLICT: Duration = Duration::from_secs(1);

/// Looks for orphans and removes them.
pub(crate) struct Sweeper {
    pub(crate) requests: Arc<SweepRequests>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) calls: Calls,
    pub(crate) executor: Executor,
    pub(crate) leadership: Leadership,
    pub(crate) events: Publisher,
    pub(crate) metrics: Arc<Metrics>,
}

/// A child, and what the API server has to be asked about it.
type Unjudged = (Key, ObservedChild, LiveCheck);

impl Sweeper {
    /// Sweeps until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.requests.full_scan();
        let mut backlog = Backlog::default();
        loop {
            // What is due by now takes its turn before the rest of a long scan.
            let scope = if backlog.is_empty() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    scope = self.requests.next() => scope,
                }
            } else {
                self.requests.due()
            };
            backlog.add(self.candidates(scope).await);
            let Some(portion) = backlog.next() else { continue };
            if stop.is_cancelled() || !self.leadership.holds() {
                return;
            }
            self.sweep(portion).await;
        }
    }

    /// The children to check. Whether the API server has to be asked about one is decided right before its check.
    async fn candidates(&self, scope: Scope) -> BTreeSet<Key> {
        let mut keys = self.cache.read(|index| orphans::left_by(index, &scope.gone));
        if scope.everything {
            let mut search = OrphanSearch::default();
            while let Some(portion) = search.next(&self.cache) {
                keys.extend(portion);
                // Passes and events go on between the portions.
                tokio::task::yield_now().await;
            }
        }
        keys.retain(|key| !self.requests.is_put_off(key));
        keys.extend(scope.children);
        keys
    }

    /// Checks a portion of children and removes the orphans among them. The sources of shared children stay locked from the
    /// check to the write, so no pass over a link of these sources writes in between.
    async fn sweep(&self, portion: Portion) {
        let mut sources: Vec<SourceKey> = Vec::new();
        if portion.is_shared {
            let of_keys = |index: &_| portion.keys.iter().filter_map(|key| source_of(index, key)).collect();
            sources = self.cache.read(of_keys);
            // Only the sweep holds several, and it takes them in one order.
            sources.sort_unstable();
            sources.dedup();
        }
        let mut locks = Vec::with_capacity(sources.len());
        for source in sources {
            locks.push(self.queue.lock_source(source).await);
        }
        for (check, children) in self.unjudged(&portion.keys) {
            // One answer judges all children with this question, because all of them were observed before it.
            match Live::ask(&self.calls, &check).await {
                Ok(live) => {
                    for (key, child, check) in children {
                        self.judge(key, &child, &check, &live).await;
                    }
                }
                Err(error) => {
                    let count = children.len();
                    if let Some((child, ..)) = children.first() {
                        tracing::warn!(
                            %child,
                            count,
                            %error,
                            "children that may be orphans, this one first, were not checked; retrying after a pause"
                        );
                    }
                    for (child, ..) in children {
                        self.put_off(child);
                    }
                }
            }
        }
        drop(locks);
    }

    /// The children of a portion whose links are not in the caches, by what has to be asked.
    fn unjudged(&self, keys: &[Key]) -> Vec<(LiveCheck, Vec<Unjudged>)> {
        let mut questions: Vec<(LiveCheck, Vec<Unjudged>)> = Vec::new();
        for key in keys {
            let found = self.cache.read(|index| {
                let child = observed_child(index, key)?;
                let check = orphans::check(index, &child);
                Some((child, check))
            });
            let (child, check) = match found {
                Some((child, Some(check))) => (child, check),
                Some((_, None)) => {
                    self.requests.settled(key);
                    continue;
                }
                None => {
                    self.requests.gone(key);
                    continue;
                }
            };
            let unjudged = (key.clone(), child, check.clone());
            match questions.iter_mut().find(|(asked, _)| *asked == check) {
                Some((_, children)) => children.push(unjudged),
                None => questions.push((check, vec![unjudged])),
            }
        }
        questions
    }

    async fn judge(&self, key: Key, child: &ObservedChild, check: &LiveCheck, live: &Live) {
        let Some(effect) = verdict(child, live.answer()) else {
            // Its link lives. If it stays unknown to the caches, the API server is not asked again soon.
            let is_known = self.cache.read(|index| orphans::check(index, child)).is_none();
            if is_known {
                self.requests.settled(&key);
            } else {
                tracing::debug!(child = %key, ?check, "its link exists, and is not in the caches");
                self.requests.put_off(key);
            }
            return;
        };
        if !self.leadership.holds() {
            return;
        }
        match self.write(&key, &effect).await {
            Ok(()) => {}
            Err(error @ CallError::Conflict(_)) => {
                tracing::debug!(child = %key, %error, "an orphan changed before it was swept; checking it again");
                self.requests.retry(key, AFTER_CONFLICT);
            }
            Err(error) => {
                tracing::warn!(child = %key, %error, "an orphan was not swept; retrying after a pause");
                self.put_off(key);
            }
        }
    }

    fn put_off(&self, child: Key) {
        self.metrics.count_failed_sweep(child.kind.as_str());
        self.requests.put_off(child);
    }
}

#[cfg(test)]
mod tests;
