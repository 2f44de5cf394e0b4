//! A watch of Secrets for each namespace in which a link needs them, and for no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::task::JoinSet;

use super::follow::watch;
use crate::affects::{Secrets, Watched as _};
use crate::cache::Cache;
use crate::meter::Meter;
use crate::store::lenient::Lenient;
use crate::store::strip_managed_fields::Stripped;

/// Secrets that are many and large, and that no link ever needs.
const LEFT_OUT: &str = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token";

/// A watch, and the Secrets that links of its namespace refer to.
struct Running {
    referred_to: Arc<BTreeSet<String>>,
    task: JoinSet<()>,
}

/// Starts and ends watches as links need them. Never returns.
pub(super) async fn follow(client: Client, cache: Arc<Cache>, meter: Arc<dyn Meter>) {
    let mut needs = cache.read(|index| index.links.secrets_needed.subscribe());
    let mut asked = cache.relists.asked();
    // Nothing is known yet, so every list that was asked for before now is up to date.
    cache.relists.listed(Secrets::KIND, *asked.borrow_and_update());
    let mut running: BTreeMap<Arc<str>, Running> = BTreeMap::new();
    loop {
        let needed = cache.read(|index| index.links.needed_secrets());
        let is_right = |namespace: &Arc<str>, one: &Running| needed.get(namespace) == Some(&*one.referred_to);
        let ended: Vec<_> = running
            .extract_if(.., |namespace, one| !is_right(namespace, one))
            .collect();
        for (namespace, mut one) in ended {
            // None of its events may come after one of its successor.
            one.task.shutdown().await;
            if !needed.contains_key(&namespace) {
                cache.forget_secrets(&namespace);
            }
        }
        for (namespace, names) in needed {
            running.entry(Arc::clone(&namespace)).or_insert_with(|| {
                let referred_to = Arc::new(names);
                let mut task = JoinSet::new();
                let (client, cache, meter) = (client.clone(), Arc::clone(&cache), Arc::clone(&meter));
                task.spawn(of_namespace(client, namespace, Arc::clone(&referred_to), cache, meter));
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
                // A link waits while its Secrets are not in the cache.
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
    meter: Arc<dyn Meter>,
) {
    let api = Api::<Lenient<Stripped<Secret>>>::namespaced(client, &namespace);
    let config = watcher::Config::default().fields(LEFT_OUT);
    let take = |event: Event<Lenient<Stripped<Secret>>>| cache.observe_secrets(&namespace, &referred_to, event);
    // The watch tries again with its own backoff, half a minute at most, until the right is granted.
    let is_expected = |code: Option<u16>| {
        let is_forbidden = code == Some(403);
        if is_forbidden {
            cache.may_not_see_secrets(&namespace);
        }
        is_forbidden
    };
    watch::<Secrets>(api, config, &*meter, &take, &is_expected).await;
}
