//! The task that sweeps. Its writes are not recorded in the caches: the watch brings them, and so gives the links that they
//! concern a pass.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use instancelink_api::{InstanceLink, keys};
use instancelink_cluster::orphans::{self, OrphanSearch, observed_child, source_of};
use instancelink_cluster::{Cache, CallError, Calls, Lenient, ObjectName, Stripped};
use instancelink_core::child::{Key, ObservedChild};
use instancelink_core::effect::{Answer, Effect};
use instancelink_core::sweep::{self, LiveAnswer, LiveCheck, verdict};
use tokio_util::sync::CancellationToken;

use super::requests::{Scope, SweepRequests};
use crate::events::Publisher;
use crate::leader::Leadership;
use crate::queue::Queue;
use crate::reconcile::Executor;
use crate::telemetry::metrics::Metrics;

/// Time until a child is checked again that changed between the check and the write. The watch shows the change by then.
const AFTER_CONFLICT: Duration = Duration::from_secs(1);
/// Time until a child is checked again whose check or write failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A link as it is read live: one that cannot be read exists, too.
type LiveLink = Lenient<Stripped<InstanceLink>>;

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

impl Sweeper {
    /// Sweeps until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.requests.full_scan();
        loop {
            let scope = tokio::select! {
                () = stop.cancelled() => return,
                scope = self.requests.next() => scope,
            };
            for key in self.candidates(scope).await {
                if stop.is_cancelled() || !self.leadership.holds() {
                    return;
                }
                self.sweep(key).await;
            }
        }
    }

    /// The children to check. Whether the API server has to be asked about one is decided right before its check.
    async fn candidates(&self, scope: Scope) -> BTreeSet<Key> {
        let mut keys: BTreeSet<Key> = scope.children.into_iter().collect();
        keys.extend(self.cache.read(|index| orphans::left_by(index, &scope.gone)));
        if scope.everything {
            let mut search = OrphanSearch::default();
            while let Some(portion) = search.next(&self.cache) {
                keys.extend(portion);
                // Passes and events go on between the portions.
                tokio::task::yield_now().await;
            }
        }
        keys
    }

    async fn sweep(&self, key: Key) {
        match self.sweep_child(&key).await {
            Ok(()) => {}
            Err(error @ CallError::Conflict(_)) => {
                tracing::debug!(child = %key, %error, "an orphan changed before it was swept; checking it again");
                self.requests.retry(key, AFTER_CONFLICT);
            }
            Err(error) => {
                self.metrics.count_failed_sweep(key.kind.as_str());
                tracing::warn!(child = %key, %error, "a child that may be an orphan was not checked or swept; retrying");
                self.requests.retry(key, AFTER_FAILURE);
            }
        }
    }

    /// Checks one child and removes it if it is an orphan. The source stays locked from the check to the write, so no pass
    /// over a link of the source writes in between.
    async fn sweep_child(&self, key: &Key) -> Result<(), CallError> {
        let _lock = match self.cache.read(|index| source_of(index, key)) {
            Some(source) => Some(self.queue.lock_source(source).await),
            None => None,
        };
        let checked = self.cache.read(|index| {
            let child = observed_child(index, key)?;
            let check = orphans::check(index, &child)?;
            Some((child, check))
        });
        let Some((child, check)) = checked else { return Ok(()) };
        match self.verdict(&child, &check).await? {
            Some(effect) => self.write(key, &effect).await,
            None => Ok(()),
        }
    }

    /// Asks the API server about the links of a child. Only a live answer condemns it.
    async fn verdict(&self, child: &ObservedChild, check: &LiveCheck) -> Result<Option<Effect>, CallError> {
        match check {
            LiveCheck::Link { namespace, name, .. } => {
                let link = ObjectName::new(namespace, name);
                let uid = match self.calls.get::<LiveLink>(keys::KIND, &link).await {
                    Ok(link) => link.object.object.metadata.uid,
                    Err(CallError::NotFound(_)) => None,
                    Err(error) => return Err(error),
                };
                Ok(verdict(child, LiveAnswer::Link(uid.as_deref())))
            }
            LiveCheck::Links { namespace } => {
                let links = self.calls.list::<LiveLink>(keys::KIND, namespace).await?;
                let links: Vec<InstanceLink> = links.into_iter().map(|link| link.object.object).collect();
                Ok(verdict(child, LiveAnswer::Links(&links)))
            }
        }
    }

    async fn write(&self, key: &Key, effect: &Effect) -> Result<(), CallError> {
        let answer = match effect {
            Effect::Delete {
                key,
                uid,
                resource_version,
            } => self.executor.delete(key, uid, resource_version).await,
            Effect::Replace {
                child,
                uid,
                resource_version,
            } => self.executor.replace(child, (uid, resource_version)).await,
            other => {
                tracing::error!(effect = ?other, "a sweep may only delete and replace children; this is a bug");
                return Ok(());
            }
        };
        let answer = match answer {
            // Another client removed it.
            Err(CallError::NotFound(_)) => return Ok(()),
            answer => answer?,
        };
        match answer {
            Answer::Refused(_, refusal) => {
                self.metrics.count_failed_sweep(key.kind.as_str());
                tracing::warn!(child = %key, "an orphan was not swept: {}; retrying", refusal.message);
                self.requests.retry(key.clone(), AFTER_FAILURE);
            }
            Answer::Link(_) | Answer::LinkGone | Answer::Child(_) | Answer::ChildGone(_) | Answer::Done => {
                self.metrics.count_swept(key.kind.as_str());
                tracing::info!(child = %key, "orphan swept: its link is gone");
                if let Effect::Delete { key, uid, .. } = effect {
                    self.report(key, uid);
                }
            }
        }
        Ok(())
    }

    /// An event on a child that was deleted. A namespace that is being deleted takes no events.
    fn report(&self, child: &Key, uid: &str) {
        let namespace = ObjectName::new("", &child.namespace);
        let lives = self.cache.read(|index| {
            let known = index.namespaces.get(&namespace);
            known.is_some_and(|known| !known.terminating)
        });
        if lives {
            self.events.publish_about_child(child, uid, &sweep::event(child));
        }
    }
}

#[cfg(test)]
mod tests;
