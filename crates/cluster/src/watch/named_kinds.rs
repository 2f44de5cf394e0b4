//! The kinds that links name and that are not built in. The watch of a kind begins with the first link that names it, and
//! ends with the last.
//!
//! Discovery gives the plural of a kind and whether it has a scale, in one answer for all kinds. How many kinds are
//! watched is limited, for each namespace and in total. While a kind is not served, discovery is asked again after pauses
//! that grow, so that a link recovers without a user once the CRD exists.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use instancelink_core::resolve::scaled_kinds;
use instancelink_core::snapshot::{ApiKind, Unlisted};
use kube::Client;
use kube::api::ApiResource;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::discovery::{Discovery, Found};
use super::discovery_schedule::Schedule;
use super::retry_intervals::RetryIntervals;
use super::scaled_kinds::Follower;
use crate::cache::Cache;
use crate::calls::Calls;
use crate::index::scaled::SCALED as KIND;
use crate::meter::Meter;
use crate::name::ObjectName;
use crate::store::groups::Groups;

/// Watches the kinds that links name. It returns only if one of these watches panicked.
pub(super) async fn watch(
    client: Client,
    calls: Calls,
    cache: Arc<Cache>,
    meter: Arc<dyn Meter>,
    intervals: RetryIntervals,
) {
    let mut kinds = Kinds {
        discovery: Discovery::new(calls.clone()),
        watches: BTreeMap::new(),
        ended: Arc::default(),
        schedule: Schedule::new(intervals),
        client,
        calls,
        cache,
        meter,
        intervals,
    };
    loop {
        if kinds.remove_ended() {
            return;
        }
        let wait = kinds.follow_named().await;
        let due = async {
            match wait {
                Some(wait) => sleep(wait).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = kinds.cache.kinds_named.notified() => {}
            () = kinds.ended.notified() => {}
            () = due => {}
        }
    }
}

/// The kinds that links name, and their watches.
struct Kinds {
    client: Client,
    calls: Calls,
    cache: Arc<Cache>,
    meter: Arc<dyn Meter>,
    intervals: RetryIntervals,
    discovery: Discovery,
    schedule: Schedule,
    /// The watches, each with the signal that links name other objects of its kind.
    watches: BTreeMap<ApiKind, (JoinSet<()>, Arc<Notify>)>,
    /// One of the watches ended.
    ended: Arc<Notify>,
}

impl Kinds {
    /// Removes the watches of kinds that are not served any more. True if one of them panicked.
    fn remove_ended(&mut self) -> bool {
        let mut panicked = false;
        self.watches.retain(|kind, (watch, _)| match watch.try_join_next() {
            None => true,
            Some(ended) => {
                panicked |= ended.is_err();
                self.discovery.forget(kind);
                false
            }
        });
        panicked
    }

    /// Starts and ends watches, so that the kinds that links name are watched, up to the limits. Returns when to look again,
    /// if discovery may know a kind then that it does not know now.
    async fn follow_named(&mut self) -> Option<Duration> {
        let named = self.cache.read(|index| namespaces_by_kind(&index.links.by_kind));
        let watched = scaled_kinds::within_limits(&named, |kind| self.watches.contains_key(kind));
        let surplus: Vec<ApiKind> = self
            .watches
            .keys()
            .filter(|kind| !watched.contains(kind))
            .cloned()
            .collect();
        for kind in surplus {
            if let Some((mut watch, _)) = self.watches.remove(&kind) {
                watch.shutdown().await;
            }
        }
        self.cache.forgets_kinds_but(&named);
        for kind in named.keys() {
            self.cache.awaits_kind(kind);
            if !watched.contains(kind) {
                self.cache.has_no(kind, Unlisted::TooMany);
            }
        }
        self.watches
            .values()
            .for_each(|(_, named_again)| named_again.notify_one());
        let mut missing: BTreeSet<ApiKind> = watched
            .into_iter()
            .filter(|kind| !self.watches.contains_key(kind))
            .cloned()
            .collect();
        self.start_served(&mut missing);
        let wait = self.schedule.wait(&missing);
        if missing.is_empty() || !wait.is_zero() {
            return (!missing.is_empty()).then_some(wait);
        }
        match self.discovery.ask().await {
            Ok(changed) => {
                self.start_served(&mut missing);
                self.schedule.answered(&missing, changed);
                for kind in &missing {
                    if let Found::Not(why) = self.discovery.find(kind) {
                        self.cache.has_no(kind, why);
                    }
                }
            }
            Err(error) => {
                self.meter.watch_failed(KIND);
                tracing::warn!(%error, "discovery does not say how kinds are served; trying again");
                self.schedule.failed();
            }
        }
        (!missing.is_empty()).then(|| self.schedule.wait(&missing))
    }

    /// Starts the watches of those kinds that the API server serves as it said last. The others stay missing.
    fn start_served(&mut self, missing: &mut BTreeSet<ApiKind>) {
        missing.retain(|kind| match self.discovery.find(kind) {
            Found::Served(resource) => {
                self.start(kind, resource);
                false
            }
            Found::Not(_) | Found::Unknown => true,
        });
    }

    fn start(&mut self, kind: &ApiKind, resource: ApiResource) {
        let named_again = Arc::new(Notify::new());
        let follower = Follower {
            client: self.client.clone(),
            calls: self.calls.clone(),
            cache: Arc::clone(&self.cache),
            meter: Arc::clone(&self.meter),
            intervals: self.intervals,
            kind: kind.clone(),
            named_again: Arc::clone(&named_again),
        };
        let (mut watch, ended) = (JoinSet::new(), Arc::clone(&self.ended));
        watch.spawn(async move {
            follower.follow(&resource).await;
            ended.notify_one();
        });
        self.watches.insert(kind.clone(), (watch, named_again));
    }
}

/// The namespaces whose links name a kind.
fn namespaces_by_kind(by_kind: &Groups<ApiKind>) -> BTreeMap<ApiKind, BTreeSet<Arc<str>>> {
    let namespaces = |kind| {
        by_kind
            .get(kind)
            .map(|link: &ObjectName| Arc::clone(&link.namespace))
            .collect()
    };
    by_kind.keys().map(|kind| (kind.clone(), namespaces(kind))).collect()
}
