//! One watch per kind, each with a backoff of its own: a kind that cannot be watched must not slow the others.

use std::sync::Arc;

use futures::StreamExt;
use instancelink_api::keys;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::{apps::v1 as apps, core::v1 as core};
use kube::core::ApiResource;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use tokio::task::JoinSet;

use super::backoff::WatchBackoff;
use super::index::{DaemonSets, Deployments, ReplicaSets, StatefulSets, Watched};
use super::places::{Namespaces, Nodes};
use super::pods::Pods;
use super::{
    Cache, Environments, Grants, Links, Mirrors, Policies, ReferenceGrants, Secrets, Services, Slices, gateway, kinds,
    lists_of, packed, secret_watches,
};
use crate::calls::Calls;
use crate::telemetry::metrics::Metrics;

/// The kinds that must have been listed, or found absent, before the first pass.
pub(crate) const KINDS: [&str; 15] = [
    Links::KIND,
    Grants::KIND,
    ReferenceGrants::KIND,
    Deployments::KIND,
    StatefulSets::KIND,
    DaemonSets::KIND,
    ReplicaSets::KIND,
    Pods::KIND,
    Services::KIND,
    Slices::KIND,
    Policies::KIND,
    Mirrors::KIND,
    Environments::KIND,
    Namespaces::KIND,
    Nodes::KIND,
];

/// The kinds that operators write.
pub(super) const WRITTEN: [&str; 6] = [
    Links::KIND,
    Services::KIND,
    Slices::KIND,
    Policies::KIND,
    Environments::KIND,
    Secrets::KIND,
];

/// Starts all watches, and what keeps small what they fill; they end when the set is dropped.
pub(crate) fn spawn(client: &Client, calls: &Calls, cache: &Arc<Cache>, metrics: &Arc<Metrics>) -> JoinSet<()> {
    let ours = format!("{}={}", keys::MANAGED_BY, keys::MANAGER);
    let everything = watcher::Config::default();
    let only_ours = watcher::Config::default().labels(&ours);
    let mirrored = format!("{}={}", keys::SLICE_MANAGED_BY, keys::MIRROR_MANAGER);
    let only_mirrored = watcher::Config::default().labels(&mirrored);
    let mut tasks = JoinSet::new();
    let client = &lists_of(client);
    let start = Starter { client, cache, metrics };
    start.watch::<Links>(&mut tasks, &everything);
    start.watch::<Grants>(&mut tasks, &everything);
    start.watch_lean::<Deployments, apps::Deployment>(&mut tasks, &everything);
    start.watch_lean::<StatefulSets, apps::StatefulSet>(&mut tasks, &everything);
    start.watch_lean::<DaemonSets, apps::DaemonSet>(&mut tasks, &everything);
    start.watch_lean::<ReplicaSets, apps::ReplicaSet>(&mut tasks, &everything);
    start.watch_lean::<Pods, core::Pod>(&mut tasks, &everything);
    start.watch::<Services>(&mut tasks, &everything);
    start.watch::<Slices>(&mut tasks, &only_ours);
    start.watch::<Policies>(&mut tasks, &everything);
    start.watch_lean::<Mirrors, EndpointSlice>(&mut tasks, &only_mirrored);
    start.watch::<Environments>(&mut tasks, &only_ours);
    start.watch_lean::<Namespaces, core::Namespace>(&mut tasks, &everything);
    start.watch_lean::<Nodes, core::Node>(&mut tasks, &everything);
    tasks.spawn(packed::keep_packed());
    tasks.spawn(secret_watches::follow(
        client.clone(),
        Arc::clone(cache),
        Arc::clone(metrics),
    ));
    tasks.spawn(kinds::watch(
        client.clone(),
        calls.clone(),
        Arc::clone(cache),
        Arc::clone(metrics),
        gateway::Pace::default(),
    ));
    let (cache, metrics) = (Arc::clone(cache), Arc::clone(metrics));
    tasks.spawn(gateway::watch(
        client.clone(),
        calls.clone(),
        cache,
        metrics,
        gateway::Pace::default(),
    ));
    tasks
}

struct Starter<'a> {
    client: &'a Client,
    cache: &'a Arc<Cache>,
    metrics: &'a Arc<Metrics>,
}

impl Starter<'_> {
    fn watch<W>(&self, tasks: &mut JoinSet<()>, config: &watcher::Config)
    where
        W: Watched<Raw: Resource<DynamicType = ()>>,
    {
        self.start::<W>(tasks, Api::all(self.client.clone()), config);
    }

    /// Watches objects of kind `K`, of which little is read.
    fn watch_lean<W, K>(&self, tasks: &mut JoinSet<()>, config: &watcher::Config)
    where
        W: Watched<Raw: Resource<DynamicType = ApiResource>>,
        K: Resource<DynamicType = ()>,
    {
        let resource = ApiResource::erase::<K>(&());
        self.start::<W>(tasks, Api::all_with(self.client.clone(), &resource), config);
    }

    fn start<W: Watched>(&self, tasks: &mut JoinSet<()>, api: Api<W::Raw>, config: &watcher::Config) {
        let (cache, metrics) = (Arc::clone(self.cache), Arc::clone(self.metrics));
        let config = config.clone();
        tasks.spawn(async move {
            if WRITTEN.contains(&W::KIND) {
                follow_anew::<W>(api, config, &cache, &metrics).await;
            } else {
                follow::<W>(api, config, &cache, &metrics).await;
            }
        });
    }
}

/// Keeps the cache of a kind up to date. Returns only where the kind may be absent and is not served.
pub(super) async fn follow<W: Watched>(api: Api<W::Raw>, config: watcher::Config, cache: &Cache, metrics: &Metrics) {
    let take = |event| cache.observe::<W>(event);
    watch::<W>(api, config, metrics, &take, &|_| false).await;
}

/// The same for a kind that operators write: begins anew when lists of those are asked for.
async fn follow_anew<W: Watched>(api: Api<W::Raw>, config: watcher::Config, cache: &Cache, metrics: &Metrics) {
    let mut asked = cache.relists.asked();
    loop {
        let round = *asked.borrow_and_update();
        let take = |event| {
            let is_complete = matches!(event, Event::InitDone);
            cache.observe::<W>(event);
            if is_complete {
                cache.relists.listed(W::KIND, round);
            }
        };
        tokio::select! {
            biased;
            Ok(()) = asked.changed() => {}
            () = watch::<W>(api.clone(), config.clone(), metrics, &take, &|_| false) => return,
        }
    }
}

/// Watches and passes on what is said, and failures: those that are expected are neither counted nor told. Returns only
/// where the kind may be absent and is not served.
pub(super) async fn watch<W: Watched>(
    api: Api<W::Raw>,
    config: watcher::Config,
    metrics: &Metrics,
    take: &(impl Fn(Event<W::Raw>) + Sync),
    is_expected: &(impl Fn(Option<u16>) -> bool + Sync),
) {
    // A server without streaming lists refuses the request as invalid; then lists are read in pages.
    let streaming = config.clone().streaming_lists();
    if run::<W>(api.clone(), streaming, metrics, take, is_expected).await == Ended::NoStreaming {
        run::<W>(api, config, metrics, take, is_expected).await;
    }
}

#[derive(PartialEq, Eq)]
enum Ended {
    NoStreaming,
    NotServed,
    Stream,
}

async fn run<W: Watched>(
    api: Api<W::Raw>,
    config: watcher::Config,
    metrics: &Metrics,
    take: &(impl Fn(Event<W::Raw>) + Sync),
    is_expected: &(impl Fn(Option<u16>) -> bool + Sync),
) -> Ended {
    let streaming = config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
    let backoff = WatchBackoff::new(W::KIND, W::LONGEST_BACKOFF);
    let mut events = std::pin::pin!(watcher(api, config).backoff(backoff));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => take(event),
            Err(error) => {
                let code = code_of(&error);
                if W::MAY_BE_ABSENT && code == Some(404) {
                    return Ended::NotServed;
                }
                if is_expected(code) {
                    continue;
                }
                metrics.watch_failed(W::KIND);
                if streaming && matches!(code, Some(400 | 422)) {
                    tracing::info!(
                        kind = W::KIND,
                        "the API server has no streaming lists; listing in pages"
                    );
                    return Ended::NoStreaming;
                }
                let hint = hint_for(W::KIND, code);
                tracing::warn!(
                    kind = W::KIND,
                    error = text_of(&error),
                    hint,
                    "watch failed; trying again"
                );
            }
        }
    }
    Ended::Stream
}

pub(super) fn code_of(error: &watcher::Error) -> Option<u16> {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(s))
        | WatchStartFailed(kube::Error::Api(s))
        | WatchFailed(kube::Error::Api(s)) => Some(s.code),
        WatchError(status) => Some(status.code),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => None,
    }
}

/// One line: kube's own text shows a status twice, once as a Rust value.
pub(super) fn text_of(error: &watcher::Error) -> String {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(s))
        | WatchStartFailed(kube::Error::Api(s))
        | WatchFailed(kube::Error::Api(s)) => {
            format!("{} {}", s.code, s.message)
        }
        WatchError(s) => format!("{} {}", s.code, s.message),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => error.to_string(),
    }
}

fn hint_for(kind: &str, code: Option<u16>) -> &'static str {
    match code {
        Some(404) if kind == keys::KIND || kind == keys::GRANT_KIND => {
            "the CRD is not installed: instancelink crds | kubectl apply -f -"
        }
        Some(403) => "the operator's ClusterRole lacks list and watch on this kind: apply deploy/ again",
        _ => "",
    }
}
