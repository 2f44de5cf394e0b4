//! The task that looks up external names, and the answers that passes read.

use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::{Cause, LinkKey};
use instancelink_core::external_name::{AllowedNames, ExternalNames};
use instancelink_core::resolve::external_lookups::{take, wanted};
use instancelink_core::snapshot::Snapshot;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use super::resolver::NameResolver;
use crate::clock::Clock;
use crate::queue::Queue;

/// Lookups in flight at once, and the pause between two of them: what tenants write must not flood the DNS.
const IN_FLIGHT: usize = 8;
const PAUSE: Duration = Duration::from_millis(50);

/// Looks up the external names that the administrator allows.
pub(crate) struct ExternalLookups {
    allowed: Arc<AllowedNames>,
    resolver: Option<Arc<dyn NameResolver>>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    registry: Mutex<Registry>,
    changed: Notify,
}

impl ExternalLookups {
    /// Without a resolver no name is allowed.
    pub(crate) fn new(
        allowed: &AllowedNames,
        resolver: Option<Arc<dyn NameResolver>>,
        queue: Arc<Queue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let allowed = if resolver.is_some() {
            allowed.clone()
        } else {
            AllowedNames::default()
        };
        Self {
            allowed: Arc::new(allowed),
            resolver,
            queue,
            clock,
            registry: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds to a snapshot what is known of the names that its link leads to. New names are looked up soon.
    pub(crate) fn add_to(&self, key: &LinkKey, snapshot: &mut Snapshot) {
        if self.resolver.is_none() {
            return;
        }
        snapshot.external_names.allowed = Arc::clone(&self.allowed);
        let wanted = wanted(snapshot);
        let (known, again) = self.registry.lock().want(key, wanted, Instant::now(), self.clock.now());
        self.changed.notify_one();
        self.queue.add(again.iter().map(|link| (link, &Cause::Change)));
        let allowed = Arc::clone(&self.allowed);
        take(snapshot, ExternalNames { allowed, known });
    }

    /// The link does not exist any more.
    pub(crate) fn forget(&self, key: &LinkKey) {
        let again = self.registry.lock().forget(key);
        self.queue.add(again.iter().map(|link| (link, &Cause::Change)));
    }

    /// Looks up names until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(resolver) = self.resolver.clone() else {
            return stop.cancelled().await;
        };
        let mut pause = tokio::time::interval(PAUSE);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lookups = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                name = self.next(), if lookups.len() < IN_FLIGHT => {
                    let (this, resolver) = (Arc::clone(&self), Arc::clone(&resolver));
                    lookups.spawn(async move { this.look_up(&name, resolver.as_ref()).await });
                    pause.tick().await;
                }
                Some(ended) = lookups.join_next() => {
                    // The name stays in the registry, so it is looked up again later.
                    if let Err(error) = ended {
                        tracing::error!(%error, "the lookup of an external name panicked; this is a bug. Other names are still looked up");
                    }
                }
            }
        }
    }

    /// Waits for the next name that is due.
    async fn next(&self) -> String {
        loop {
            let timer = {
                let mut registry = self.registry.lock();
                if let Some(name) = registry.pop(Instant::now()) {
                    return name;
                }
                registry.next_timer()
            };
            let timer = timer.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(timer) => {}
            }
        }
    }

    async fn look_up(&self, name: &str, resolver: &dyn NameResolver) {
        let found = resolver.look_up(name).await;
        tracing::debug!(name, ?found, "external name looked up");
        let links = self
            .registry
            .lock()
            .record(name, found, Instant::now(), self.clock.now());
        self.queue.add(links.iter().map(|link| (link, &Cause::Endpoints)));
    }
}

#[cfg(test)]
mod tests;
