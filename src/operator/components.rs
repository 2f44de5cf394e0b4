//! The parts of the operator: how they are connected, and in which order they start and stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use instancelink_api::Infrastructure;
use instancelink_cluster::{Cache, Calls, Cause, LinkKey, Meter, watch};
use instancelink_core::rights::Account;
use jiff::SignedDuration;
use kube::Client;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::change_router::ChangeRouter;
use super::dependencies::Dependencies;
use crate::args::Operator;
use crate::clock::Clock;
use crate::events;
use crate::external_names::{ExternalLookups, NameResolver};
use crate::grant_status::GrantWriter;
use crate::leader::{Candidate, Election, Leadership, LeaseConfig};
use crate::queue::Queue;
use crate::readiness::GateWriter;
use crate::reconcile::{
    Batches, Driver, Executor, PassContext, RecentLinkWrites, RecentWrites, RefusedLinks, RefusedWrites, RunningPasses,
    source_of,
};
use crate::requested_names::RequestedNames;
use crate::supervise::supervise;
use crate::sweep::{SweepRequests, Sweeper};
use crate::telemetry::metrics::Metrics;
use crate::unusable::UnusableObjects;
use crate::verify::{Resolver, Verifier};
use crate::vitals::Vitals;

/// Time for the events and sweeps in flight when the operator stops.
const LAST_TASKS: Duration = Duration::from_secs(1);

/// What the tasks share.
pub(super) struct Components {
    pub(super) watches: Client,
    pub(super) calls: Calls,
    pub(super) cache: Arc<Cache>,
    pub(super) queue: Arc<Queue>,
    sweeps: Arc<SweepRequests>,
    gates: Arc<RequestedNames>,
    grants: Arc<RequestedNames>,
    unusable: Arc<UnusableObjects>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    dns: Option<Arc<dyn Resolver>>,
    names: Option<Arc<dyn NameResolver>>,
    vitals: Vitals,
    lease: Option<LeaseConfig>,
    reporter: String,
}

impl Components {
    /// Connects the parts. Nothing runs yet.
    ///
    /// # Errors
    /// The options contradict each other.
    pub(super) fn build(
        options: &Operator,
        dependencies: Dependencies,
        metrics: &Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let Dependencies {
            watches,
            calls,
            clock,
            dns,
            names,
            vitals,
        } = dependencies;
        let reporter = reporter_of(options);
        let lease = options
            .leader_elect
            .then(|| LeaseConfig::from_options(options, &reporter, clock.now()))
            .transpose()?;
        let queue = Arc::new(Queue::new(usize::from(options.concurrency)));
        let sweeps = Arc::new(SweepRequests::default());
        let gates = Arc::new(RequestedNames::default());
        let grants = Arc::new(RequestedNames::default());
        let unusable = Arc::new(UnusableObjects::default());
        let router = ChangeRouter {
            queue: Arc::clone(&queue),
            sweeps: Arc::clone(&sweeps),
            gates: Arc::clone(&gates),
            grants: Arc::clone(&grants),
            metrics: Arc::clone(metrics),
            unusable: Arc::clone(&unusable),
        };
        let cache = Arc::new(Cache::new(&watch::KINDS, Arc::new(router)));
        // Weak: the cache holds the queue, and a cycle of references would never be freed.
        let weak = Arc::downgrade(&cache);
        queue.set_source_lookup(move |key| source_of(weak.upgrade()?.as_ref(), key));
        Ok(Self {
            watches,
            calls: Calls::new(calls, Arc::clone(metrics) as Arc<dyn Meter>),
            cache,
            queue,
            sweeps,
            gates,
            grants,
            unusable,
            metrics: Arc::clone(metrics),
            clock,
            dns,
            names,
            vitals,
            lease,
            reporter,
        })
    }

    /// The runtime of the lease and of the admin server.
    pub(super) fn vital_runtime(&self) -> &Handle {
        &self.vitals.runtime
    }

    /// The contender of the election; none if there is no election.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        let config = self.lease.clone()?;
        let meter = Arc::clone(&self.metrics) as Arc<dyn Meter>;
        let Vitals {
            runtime,
            watches,
            calls,
        } = self.vitals.clone();
        let election = Election::new(Calls::new(calls, meter), watches, Arc::clone(&self.clock), config);
        Some(Candidate::new(election, runtime))
    }

    /// Waits for the caches and for the lease, then works until `stop` or until the lease is lost.
    pub(super) async fn lead(
        &self,
        candidate: Option<Candidate>,
        options: &Operator,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut synced = self.cache.synced();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ready = synced.wait_for(|synced| *synced) => {
                ready.context("the caches ended before they were filled; this is a bug")?;
            }
        }
        tracing::info!("caches are filled");
        let Some(candidate) = candidate else {
            self.work(options, Leadership::always(), &stop).await;
            return Ok(());
        };
        let Some(term) = candidate.acquire(&stop).await? else {
            return Ok(());
        };
        let (leadership, caches_are_current) = (term.leadership(), term.caches_are_current());
        // The lease is renewed until the last write is done. Only then may another operator begin.
        let done = CancellationToken::new();
        let work = async {
            if caches_are_current || self.list_again(&stop).await {
                self.work(options, leadership, &stop).await;
            }
            done.cancel();
        };
        let keep = async {
            // This task is not one of those that the passes run on, so it ends everything at once.
            if !term.keep(done.clone()).await? {
                bail!(
                    "the lease was lost: it was not renewed in time, so another operator may lead now. This process ends \
                     without another write; when it is restarted, it waits for the lease"
                );
            }
            Ok(())
        };
        tokio::pin!(work, keep);
        tokio::select! {
            kept = &mut keep => kept,
            () = &mut work => keep.await,
        }
    }

    /// Lists again what operators write, so that the caches contain all writes of the previous leader. False if `stop` comes
    /// first.
    async fn list_again(&self, stop: &CancellationToken) -> bool {
        tracing::info!("another operator led before: the objects that operators write are listed again");
        tokio::select! {
            () = stop.cancelled() => false,
            () = self.cache.catch_up() => true,
        }
    }

    /// Gives each link a turn. From then on those get one about which something changes.
    fn open_queue(&self) {
        self.queue.open();
        let links: BTreeMap<LinkKey, Cause> = self.cache.read(|index| {
            let names = index.links.table.iter();
            names.map(|(name, _)| (name.clone(), Cause::Change)).collect()
        });
        self.queue.add(&links);
    }

    /// Runs everything that writes. Returns when all of it has ended.
    async fn work(&self, options: &Operator, leadership: Leadership, stop: &CancellationToken) {
        self.metrics.set_leader(true);
        tracing::info!(concurrency = options.concurrency, "leading");
        let clock = Arc::clone(&self.clock);
        let account = options.user_name.as_deref().map(Account::new).unwrap_or_default();
        let (publisher, sender) =
            events::channel(self.calls.clone(), &self.metrics, Arc::clone(&clock), &self.reporter);
        let executor = Executor::new(self.calls.clone(), Arc::clone(&self.cache));
        let sweeper = Arc::new(Sweeper {
            requests: Arc::clone(&self.sweeps),
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            calls: self.calls.clone(),
            executor: executor.unrecorded(),
            leadership: leadership.clone(),
            events: publisher.clone(),
            metrics: Arc::clone(&self.metrics),
        });
        let link_writes = Arc::new(RecentLinkWrites::default());
        let gate_writer = Arc::new(GateWriter {
            requests: Arc::clone(&self.gates),
            cache: Arc::clone(&self.cache),
            calls: self.calls.clone(),
            events: publisher.clone(),
            leadership: leadership.clone(),
            link_writes: Arc::clone(&link_writes),
            clock: Arc::clone(&clock),
            account: account.clone(),
        });
        let grant_writer = Arc::new(GrantWriter {
            requests: Arc::clone(&self.grants),
            cache: Arc::clone(&self.cache),
            calls: self.calls.clone(),
            leadership: leadership.clone(),
            clock: Arc::clone(&clock),
        });
        let verifier = Arc::new(Verifier::new(
            self.dns.clone(),
            Arc::clone(&self.cache),
            Arc::clone(&self.queue),
            Arc::clone(&clock),
            &options.cluster_domain,
        ));
        let external_names = Arc::new(ExternalLookups::new(
            &options.allow_external_names,
            self.names.clone(),
            Arc::clone(&self.queue),
            Arc::clone(&clock),
        ));
        let unusable = Arc::clone(&self.unusable).publish(Arc::clone(&self.cache), publisher.clone(), stop.clone());
        let driver = Driver::new(PassContext {
            executor,
            batches: Batches::default(),
            recent_writes: RecentWrites::default(),
            link_writes,
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            events: publisher,
            leadership,
            clock,
            metrics: Arc::clone(&self.metrics),
            cluster_domain: options.cluster_domain.clone(),
            source_grace: SignedDuration::try_from(options.source_grace).unwrap_or(SignedDuration::MAX),
            account,
            child_defaults: Arc::new(Infrastructure {
                labels: options.child_labels.iter().cloned().collect(),
                annotations: options.child_annotations.iter().cloned().collect(),
            }),
            verifier: Arc::clone(&verifier),
            external_names: Arc::clone(&external_names),
            running: RunningPasses::default(),
            refused_writes: RefusedWrites::default(),
            refused_links: RefusedLinks::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(unusable);
        let (metrics, token) = (&self.metrics, stop.clone());
        let start = move || Arc::clone(&sweeper).run(token.clone());
        tasks.spawn(supervise("sweeper", Arc::clone(metrics), stop.clone(), start));
        let token = stop.clone();
        let start = move || Arc::clone(&gate_writer).run(token.clone());
        tasks.spawn(supervise("readiness gates", Arc::clone(metrics), stop.clone(), start));
        let token = stop.clone();
        let start = move || Arc::clone(&grant_writer).run(token.clone());
        tasks.spawn(supervise("grants", Arc::clone(metrics), stop.clone(), start));
        let sender = Arc::new(sender);
        let start = move || Arc::clone(&sender).run();
        tasks.spawn(supervise("events", Arc::clone(metrics), stop.clone(), start));
        let token = stop.clone();
        let start = move || Arc::clone(&verifier).run(token.clone());
        tasks.spawn(supervise("verifier", Arc::clone(metrics), stop.clone(), start));
        let token = stop.clone();
        let start = move || Arc::clone(&external_names).run(token.clone());
        tasks.spawn(supervise("external names", Arc::clone(metrics), stop.clone(), start));
        self.open_queue();
        Arc::new(driver).run(stop.clone(), options.shutdown_grace).await;
        // These tasks end on `stop`. What they cannot finish in this time is repeated by the next leader.
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_TASKS, ended).await.is_err() {
            tasks.shutdown().await;
        }
        self.metrics.set_leader(false);
        tracing::info!("all work is done");
    }
}

/// The name of this process in events and in the lease: the pod's, or the host's.
fn reporter_of(options: &Operator) -> String {
    let host = || {
        std::fs::read_to_string("/etc/hostname")
            .ok()
            .map(|h| h.trim().to_owned())
    };
    let name = options.pod_name.clone().or_else(host).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "instancelink".to_owned())
}
