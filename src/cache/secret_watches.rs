//! A watch of Secrets for each namespace in which a link needs them, and for no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::task::JoinSet;

use super::index::Watched as _;
use super::secrets::Secrets;
use super::{Cache, watch};
use crate::telemetry::metrics::Metrics;

/// The Secrets that are many and large, and never a link's.
const LEFT_OUT: &str = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token";

/// A watch, and the Secrets that links of its namespace refer to.
struct Running {
    referred_to: Arc<BTreeSet<String>>,
    task: JoinSet<()>,
}

/// Starts and ends watches as links come to need them and go. Never returns.
pub(super) async fn follow(client: Client, cache: Arc<Cache>, metrics: Arc<Metrics>) {
    let mut needs = cache.read(|index| index.links.secrets_needed.subscribe());
    let mut asked = cache.relists.asked();
    // Nothing is known yet: whatever was asked for before now is answered.
    cache.relists.listed(Secrets::KIND, *asked.borrow_and_update());
    let mut running: BTreeMap<Arc<str>, Running> = BTreeMap::new();
    loop {
        let needed = cache.read(|index| index.links.needed_secrets());
        let is_right = |namespace: &Arc<str>, one: &Running| needed.get(namespace) == Some(&*one.referred_to);
        let ended: Vec<_> = running
            .extract_if(.., |namespace, one| !is_right(namespace, one))
            .collect();
        for (namespace, mut one) in ended {
            // Nothing that it still had to say may come after what its successor says.
            one.task.shutdown().await;
            if !needed.contains_key(&namespace) {
                cache.forget_secrets(&namespace);
            }
        }
        for (namespace, names) in needed {
            running.entry(Arc::clone(&namespace)).or_insert_with(|| {
                let referred_to = Arc::new(names);
                let mut task = JoinSet::new();
                let (client, cache, metrics) = (client.clone(), Arc::clone(&cache), Arc::clone(&metrics));
                task.spawn(of_namespace(
                    client,
                    namespace,
                    Arc::clone(&referred_to),
                    cache,
                    metrics,
                ));
                Running { referred_to, task }
            });
        }
        tokio::select! {
            Ok(()) = needs.changed() => {}
            Ok(()) = asked.changed() => {
                let round = *asked.borrow_and_update();
                for (namespace, mut one) in std::mem::take(&mut running) {
                    one.task.shutdown().await;
                    cache.forget_secrets(&namespace);
                }
                // What is not known waits for its list by itself.
                cache.relists.listed(Secrets::KIND, round);
            }
            else => std::future::pending().await,
        }
    }
}

async fn of_namespace(
    client: Client,
    namespace: Arc<str>,
    referred_to: Arc<BTreeSet<String>>,
    cache: Arc<Cache>,
    metrics: Arc<Metrics>,
) {
    let api = Api::<Secret>::namespaced(client, &namespace);
    let config = watcher::Config::default().fields(LEFT_OUT);
    let take = |event: Event<Secret>| cache.observe_secrets(&namespace, &referred_to, event);
    // Tried again with the watch's own backoff, half a minute at most, until somebody grants the right.
    let is_expected = |code: Option<u16>| {
        let is_forbidden = code == Some(403);
        if is_forbidden {
            cache.may_not_see_secrets(&namespace);
        }
        is_forbidden
    };
    watch::watch::<Secrets>(api, config, &metrics, &take, &is_expected).await;
}
