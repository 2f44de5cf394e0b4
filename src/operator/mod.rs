//! The operator as a whole: watches and the admin server run from the start; passes, sweeps, gates, lookups and events run
//! while it leads.

mod change_router;
mod components;
mod dependencies;

use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::{Meter, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::args::Operator;
use crate::client;
use crate::clock::SystemClock;
use crate::telemetry::metrics::Metrics;
use crate::user_name;
use crate::verify::{name_resolver_of, resolver_of};
use crate::vitals::{Pulse, VitalThread, Vitals};
use components::Components;
pub use dependencies::Dependencies;

/// Time for probes and scrapes in flight when the operator stops.
const LAST_PROBES: Duration = Duration::from_secs(1);

/// Runs the operator in the cluster that the kubeconfig or the pod's service account names.
pub(crate) async fn run(mut options: Operator, stop: CancellationToken) -> anyhow::Result<()> {
    let config = client::config().await?;
    if options.lease_namespace.is_none() {
        let own = options.pod_namespace.clone();
        options.lease_namespace = Some(own.unwrap_or_else(|| config.default_namespace.clone()));
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), server = %config.cluster_url, "operator starts");
    let calls = client::for_calls(&config)?;
    if options.user_name.is_none() {
        options.user_name = user_name::of(&config, calls.clone()).await;
    }
    let thread = VitalThread::start()?;
    let vitals = {
        // What a client starts runs on the runtime on which it was made.
        let _there = thread.runtime().enter();
        Vitals {
            runtime: thread.runtime().clone(),
            watches: client::for_watches(&config)?,
            calls: client::for_calls(&config)?,
        }
    };
    let dependencies = Dependencies {
        watches: client::for_watches(&config)?,
        calls,
        clock: Arc::new(SystemClock),
        dns: resolver_of(&options)?,
        names: name_resolver_of(&options)?,
        vitals,
    };
    run_in(dependencies, options, stop).await
}

/// Runs the operator until `stop`, or until it loses the lease.
pub async fn run_in(dependencies: Dependencies, options: Operator, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = admin::bind(options.admin_port)?;
    let metrics = Arc::new(Metrics::new());
    let components = Components::build(&options, dependencies, &metrics)?;

    let sources = admin::Sources {
        metrics: Arc::clone(&metrics),
        cache: Arc::clone(&components.cache),
        queue: Arc::clone(&components.queue),
        pulse: Pulse::new(),
    };
    let end = CancellationToken::new();
    let mut beside = JoinSet::new();
    beside.spawn(sources.pulse.clone().beat());
    let mut admin = JoinSet::new();
    admin.spawn_on(admin::serve(listener, sources, end.clone()), components.vital_runtime());
    let candidate = match components.candidate() {
        Some(candidate) => Some(candidate.read_initial().await?),
        None => None,
    };
    let meter = Arc::clone(&metrics) as Arc<dyn Meter>;
    let mut watches = watch::spawn(&components.watches, &components.calls, &components.cache, &meter);
    let result = tokio::select! {
        result = components.lead(candidate, &options, stop) => result,
        // Watches do not end by themselves. Without one of them the caches would become stale without a sign of it.
        Some(ended) = watches.join_next() => Err(anyhow::anyhow!("a watch ended ({ended:?}); this is a bug")),
    };
    drop(watches);
    end.cancel();
    let _ = tokio::time::timeout(LAST_PROBES, admin.join_next()).await;
    result
}
