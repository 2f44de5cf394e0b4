//! One watch per kind. Each has its own backoff: a kind that cannot be watched must not slow down the others.

pub mod backoff;
mod discovery;
mod discovery_schedule;
mod follow;
mod imported;
mod named_kinds;
mod newest;
mod reference_grants;
mod retry_intervals;
mod scaled_kinds;
mod scaled_object;
mod secrets;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use instancelink_api::keys;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core};
use kube::core::ApiResource;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use tokio::task::JoinSet;

use crate::affects::{
    CronJobs, DaemonSets, Deployments, Environments, ForeignSlices, Grants, Jobs, Links, Namespaces, Nodes, Pods,
    Policies, ReferenceGrants, ReplicaSets, Services, Slices, StatefulSets, WRITTEN, Watched,
};
use crate::cache::Cache;
use crate::calls::Calls;
use crate::meter::Meter;
use crate::store::lenient::Lenient;
use follow::{follow, follow_again};
use newest::lists_of;
use retry_intervals::RetryIntervals;

/// How often idle objects are looked for.
const ROUND: Duration = Duration::from_secs(1);

/// The kinds that must have been listed, or found absent, before the first pass.
pub const KINDS: [&str; 17] = [
    Links::KIND,
    Grants::KIND,
    ReferenceGrants::KIND,
    Deployments::KIND,
    StatefulSets::KIND,
    DaemonSets::KIND,
    ReplicaSets::KIND,
    Jobs::KIND,
    CronJobs::KIND,
    Pods::KIND,
    Services::KIND,
    Slices::KIND,
    Policies::KIND,
    ForeignSlices::KIND,
    Environments::KIND,
    Namespaces::KIND,
    Nodes::KIND,
];

/// Starts all watches, and the compression of what they fill. All end when the set is dropped.
pub fn spawn(client: &Client, calls: &Calls, cache: &Arc<Cache>, meter: &Arc<dyn Meter>) -> JoinSet<()> {
    let everything = watcher::Config::default();
    let only_ours = |label: Option<&str>| watcher::Config::default().labels(label.unwrap_or_default());
    let foreign = format!(
        "{} notin ({},{})",
        keys::SLICE_MANAGED_BY,
        keys::SLICE_CONTROLLER,
        keys::SLICE_MANAGER
    );
    let only_foreign = watcher::Config::default().labels(&foreign);
    let mut tasks = JoinSet::new();
    let client = &lists_of(client);
    let start = Starter { client, cache, meter };
    start.watch::<Links>(&mut tasks, &everything);
    start.watch::<Grants>(&mut tasks, &everything);
    start.watch_projected::<Deployments, apps::Deployment>(&mut tasks, &everything);
    start.watch_projected::<StatefulSets, apps::StatefulSet>(&mut tasks, &everything);
    start.watch_projected::<DaemonSets, apps::DaemonSet>(&mut tasks, &everything);
    start.watch_projected::<ReplicaSets, apps::ReplicaSet>(&mut tasks, &everything);
    start.watch_projected::<Jobs, batch::Job>(&mut tasks, &everything);
    start.watch_projected::<CronJobs, batch::CronJob>(&mut tasks, &everything);
    start.watch_projected::<Pods, core::Pod>(&mut tasks, &everything);
    start.watch::<Services>(&mut tasks, &everything);
    start.watch::<Slices>(&mut tasks, &only_ours(Slices::LABEL));
    start.watch::<Policies>(&mut tasks, &everything);
    start.watch::<ForeignSlices>(&mut tasks, &only_foreign);
    start.watch::<Environments>(&mut tasks, &only_ours(Environments::LABEL));
    start.watch_projected::<Namespaces, core::Namespace>(&mut tasks, &everything);
    start.watch_projected::<Nodes, core::Node>(&mut tasks, &everything);
    tasks.spawn(compress_idle(Arc::clone(cache)));
    tasks.spawn(secrets::follow(client.clone(), Arc::clone(cache), Arc::clone(meter)));
    tasks.spawn(named_kinds::watch(
        client.clone(),
        calls.clone(),
        Arc::clone(cache),
        Arc::clone(meter),
        RetryIntervals::default(),
    ));
    let (cache, meter) = (Arc::clone(cache), Arc::clone(meter));
    tasks.spawn(reference_grants::watch(
        client.clone(),
        calls.clone(),
        cache,
        meter,
        RetryIntervals::default(),
    ));
    tasks
}

async fn compress_idle(cache: Arc<Cache>) {
    loop {
        tokio::time::sleep(ROUND).await;
        cache.compress_idle();
    }
}

struct Starter<'a> {
    client: &'a Client,
    cache: &'a Arc<Cache>,
    meter: &'a Arc<dyn Meter>,
}

impl Starter<'_> {
    fn watch<W>(&self, tasks: &mut JoinSet<()>, config: &watcher::Config)
    where
        W: Watched<Raw: Resource<DynamicType = ()>>,
    {
        self.start::<W>(tasks, Api::all(self.client.clone()), config);
    }

    /// Watches objects of kind `K`, of which little is read.
    fn watch_projected<W, K>(&self, tasks: &mut JoinSet<()>, config: &watcher::Config)
    where
        W: Watched<Raw: Resource<DynamicType = ApiResource>>,
        K: Resource<DynamicType = ()>,
    {
        let resource = ApiResource::erase::<K>(&());
        self.start::<W>(tasks, Api::all_with(self.client.clone(), &resource), config);
    }

    fn start<W: Watched>(&self, tasks: &mut JoinSet<()>, api: Api<Lenient<W::Raw>>, config: &watcher::Config) {
        let (cache, meter) = (Arc::clone(self.cache), Arc::clone(self.meter));
        let config = config.clone();
        tasks.spawn(async move {
            if WRITTEN.contains(&W::KIND) {
                follow_again::<W>(api, config, &cache, &*meter).await;
            } else {
                follow::<W>(api, config, &cache, &*meter).await;
            }
        });
    }
}
