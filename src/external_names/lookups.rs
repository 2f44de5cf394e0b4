//! The task that looks up external names, and the answers that passes read.

use std::sync::Arc;

use instancelink_cluster::{Cause, LinkKey};
use instancelink_core::external_name::{AllowedNames, ExternalNames};
use instancelink_core::resolve::external_lookups::{take, wanted};
use instancelink_core::snapshot::Snapshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use super::resolver::NameResolver;
use crate::clock::Clock;
use crate::due_lookups::DueLookups;
use crate::queue::Queue;

/// Looks up the external names that the administrator allows.
pub(crate) struct ExternalLookups {
    allowed: Arc<AllowedNames>,
    resolver: Option<Arc<dyn NameResolver>>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    names: DueLookups<Registry>,
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
            names: DueLookups::default(),
        }
    }

    /// Adds to a snapshot what is known of the names that its link leads to. New names are looked up soon.
    pub(crate) fn add_to(&self, key: &LinkKey, snapshot: &mut Snapshot) {
        if self.resolver.is_none() {
            return;
        }
        snapshot.external_names.allowed = Arc::clone(&self.allowed);
        let wanted = wanted(snapshot);
        let (known, again) = self
            .names
            .schedule()
            .want(key, wanted, Instant::now(), self.clock.now());
        self.names.changed();
        self.queue.add(again.iter().map(|link| (link, &Cause::Change)));
        let allowed = Arc::clone(&self.allowed);
        take(snapshot, ExternalNames { allowed, known });
    }

    /// The link does not exist any more.
    pub(crate) fn forget(&self, key: &LinkKey) {
        let again = self.names.schedule().forget(key);
        self.queue.add(again.iter().map(|link| (link, &Cause::Change)));
    }

    /// Looks up names until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(resolver) = self.resolver.clone() else {
            return stop.cancelled().await;
        };
        let look_up = |name: String| {
            let (this, resolver) = (Arc::clone(&self), Arc::clone(&resolver));
            async move { this.look_up(&name, resolver.as_ref()).await }
        };
        self.names.run("an external name", &stop, look_up).await;
    }

    async fn look_up(&self, name: &str, resolver: &dyn NameResolver) {
        let found = resolver.look_up(name).await;
        tracing::debug!(name, ?found, "external name looked up");
        let links = self
            .names
            .schedule()
            .record(name, found, Instant::now(), self.clock.now());
        self.queue.add(links.iter().map(|link| (link, &Cause::Endpoints)));
    }
}

#[cfg(test)]
mod tests;
