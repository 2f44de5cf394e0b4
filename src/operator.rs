//! The task tree of the operator: watches and the admin server from the start; passes, sweeps and events while it leads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use instancelink_core::rights::Account;
use kube::Client;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::Operator;
use crate::client;
use crate::clock::{Clock, SystemClock};
use crate::leader::lease::{Election, Leadership, Terms};
use crate::reconcile::batches::Batches;
use crate::reconcile::driver::{Driver, source_of};
use crate::reconcile::events;
use crate::reconcile::gates::{Bell, Gatekeeper};
use crate::reconcile::queue::Queue;
use crate::reconcile::sweep::{Broom, Sweeper};
use crate::telemetry::admin;
use crate::telemetry::metrics::Metrics;
use crate::verify::{self, Resolver, Verifier};
use instancelink_cluster::{Affected, Cache, Calls, Listener, Meter, ObjectName, watch};

/// Time for the events and sweeps that are on their way when the operator stops.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// What the operator stands in: a cluster and a clock. Tests bring their own.
pub struct Surroundings {
    /// For watches, which are silent for minutes.
    pub watches: Client,
    /// For calls, which are not.
    pub calls: Client,
    /// The time that is written into objects.
    pub clock: Arc<dyn Clock>,
    /// The DNS in which aliases are looked up; without one they are not.
    pub dns: Option<Arc<dyn Resolver>>,
}

/// Runs the operator in the cluster of the environment.
pub(crate) async fn run(mut options: Operator, stop: CancellationToken) -> anyhow::Result<()> {
    let config = client::config().await?;
    if options.lease_namespace.is_none() {
        let own = options.pod_namespace.clone();
        options.lease_namespace = Some(own.unwrap_or_else(|| config.default_namespace.clone()));
    }
    if options.user_name.is_none() {
        options.user_name = client::user_name(&config).await;
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), server = %config.cluster_url, "operator starts");
    let surroundings = Surroundings {
        watches: client::for_watches(&config)?,
        calls: client::for_calls(&config)?,
        clock: Arc::new(SystemClock),
        dns: verify::of_pod(&options)?,
    };
    run_in(surroundings, options, stop).await
}

/// Runs the operator until told to stop, or until it may not lead any more.
pub async fn run_in(surroundings: Surroundings, options: Operator, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = admin::bind(options.admin_port).await?;
    let metrics = Arc::new(Metrics::new());
    let parts = Parts::build(&options, surroundings, &metrics)?;

    let shown = admin::Shown {
        metrics: Arc::clone(&metrics),
        cache: Arc::clone(&parts.cache),
        queue: Arc::clone(&parts.queue),
    };
    let end = CancellationToken::new();
    let admin = tokio::spawn(admin::serve(listener, shown, end.clone()));
    let mut election = parts.election();
    if let Some(election) = election.as_mut() {
        election.look().await;
    }
    let meter = Arc::clone(&metrics) as Arc<dyn Meter>;
    let mut watches = watch::spawn(&parts.watches, &parts.calls, &parts.cache, &meter);
    let result = tokio::select! {
        result = parts.lead(election, &options, stop) => result,
        // Watches never end by themselves, and without one of them the caches would grow old in silence.
        Some(ended) = watches.join_next() => Err(anyhow::anyhow!("a watch ended ({ended:?}); this is a bug")),
    };
    drop(watches);
    end.cancel();
    // Probes and scrapes are short; whatever hangs on longer is not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(1), admin).await;
    result
}

/// What the tasks share.
struct Parts {
    watches: Client,
    calls: Calls,
    cache: Arc<Cache>,
    queue: Arc<Queue>,
    broom: Arc<Broom>,
    bell: Arc<Bell>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    dns: Option<Arc<dyn Resolver>>,
    terms: Option<Terms>,
    reporter: String,
}

impl Parts {
    fn build(options: &Operator, surroundings: Surroundings, metrics: &Arc<Metrics>) -> anyhow::Result<Self> {
        let Surroundings {
            watches,
            calls,
            clock,
            dns,
        } = surroundings;
        let calls = Calls::new(calls, Arc::clone(metrics) as Arc<dyn Meter>);
        let queue = Arc::new(Queue::new(usize::from(options.concurrency)));
        let broom = Arc::new(Broom::default());
        let bell = Arc::new(Bell::default());
        let wakes = Wakes {
            queue: Arc::clone(&queue),
            broom: Arc::clone(&broom),
            bell: Arc::clone(&bell),
            metrics: Arc::clone(metrics),
        };
        let cache = Arc::new(Cache::new(&watch::KINDS, Arc::new(wakes)));
        // The cache tells the queue: holding each other, neither would ever end.
        let known = Arc::downgrade(&cache);
        queue.find_sources_with(move |key| source_of(known.upgrade()?.as_ref(), key));
        let reporter = reporter_of(options);
        let terms = options
            .leader_elect
            .then(|| terms_of(options, &reporter, clock.as_ref()));
        if let Some(terms) = &terms
            && terms.renew_deadline >= terms.duration
        {
            bail!(
                "--lease-renew-deadline {:?} must be shorter than --lease-duration {:?}: else two operators could write at once",
                terms.renew_deadline,
                terms.duration
            );
        }
        Ok(Self {
            watches,
            calls,
            cache,
            queue,
            broom,
            bell,
            metrics: Arc::clone(metrics),
            clock,
            dns,
            terms,
            reporter,
        })
    }

    /// What takes part in the election; none where this operator is alone.
    fn election(&self) -> Option<Election> {
        let terms = self.terms.clone()?;
        Some(Election::new(
            self.calls.clone(),
            self.watches.clone(),
            Arc::clone(&self.clock),
            terms,
        ))
    }

    /// Waits for the caches and for the lease, then works until told to stop, or until the lease is lost.
    async fn lead(
        &self,
        election: Option<Election>,
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
        let Some(mut election) = election else {
            self.work(options, Leadership::always(), &stop).await;
            return Ok(());
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = election.win() => {}
        }
        let leadership = election.leadership();
        let is_undisturbed = election.is_undisturbed();
        // Renewed until the last write is done: only then may another begin.
        let done = CancellationToken::new();
        let work = async {
            if is_undisturbed || self.catch_up(&stop).await {
                self.work(options, leadership, &stop).await;
            }
            done.cancel();
        };
        let keep = async {
            if !election.keep(&done).await {
                bail!(
                    "the lease was lost: another operator may lead now, so this one stops; started again, it follows"
                );
            }
            election.release().await;
            Ok(())
        };
        tokio::pin!(work, keep);
        tokio::select! {
            kept = &mut keep => kept,
            () = &mut work => keep.await,
        }
    }

    /// Takes in all that the operator before us wrote. False when told to stop before that.
    async fn catch_up(&self, stop: &CancellationToken) -> bool {
        tracing::info!("another operator led before: what operators write is listed anew");
        tokio::select! {
            () = stop.cancelled() => false,
            () = self.cache.catch_up() => true,
        }
    }

    /// Everything that writes. Returns when nothing does any more.
    async fn work(&self, options: &Operator, leadership: Leadership, stop: &CancellationToken) {
        self.metrics.leads(true);
        tracing::info!(concurrency = options.concurrency, "leading");
        let (calls, clock) = (self.calls.clone(), Arc::clone(&self.clock));
        let (publisher, sender) = events::channel(calls.clone(), &self.metrics, Arc::clone(&clock), &self.reporter);
        let sweeper = Sweeper {
            broom: Arc::clone(&self.broom),
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            calls: calls.clone(),
            leadership: leadership.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        let gatekeeper = Gatekeeper {
            bell: Arc::clone(&self.bell),
            cache: Arc::clone(&self.cache),
            calls: calls.clone(),
            events: publisher.clone(),
            leadership: leadership.clone(),
            clock: Arc::clone(&clock),
            account: account_of(options),
        };
        let verifier = Arc::new(Verifier::new(
            self.dns.clone(),
            Arc::clone(&self.cache),
            Arc::clone(&self.queue),
            Arc::clone(&clock),
            &options.cluster_domain,
        ));
        let driver = Driver {
            doubts: Arc::default(),
            batches: Batches::default(),
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            calls,
            events: publisher,
            leadership,
            clock,
            metrics: Arc::clone(&self.metrics),
            cluster_domain: options.cluster_domain.clone(),
            account: account_of(options),
            verifier: Arc::clone(&verifier),
        };
        let mut helpers = JoinSet::new();
        helpers.spawn(sweeper.run(stop.clone()));
        helpers.spawn(gatekeeper.run(stop.clone()));
        helpers.spawn(sender.run());
        helpers.spawn(verifier.run(stop.clone()));
        Arc::new(driver).run(stop.clone(), options.shutdown_grace).await;
        // All end by themselves now; what they cannot finish soon is not worth waiting for.
        let ended = async { while helpers.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_EVENTS, ended).await.is_err() {
            helpers.shutdown().await;
        }
        self.metrics.leads(false);
        tracing::info!("all work is done");
    }
}

/// Passes on what the caches say.
struct Wakes {
    queue: Arc<Queue>,
    broom: Arc<Broom>,
    bell: Arc<Bell>,
    metrics: Arc<Metrics>,
}

impl Listener for Wakes {
    fn affected(&self, affected: Affected) {
        self.queue.add(&affected.links);
        self.broom.after(affected.gone);
        if affected.orphans {
            self.broom.soon();
        }
        self.bell.ring(affected.gated);
    }

    fn listed(&self, kind: &'static str, times: u64) {
        if times > 1 {
            self.metrics.relisted(kind);
            self.broom.everything();
        }
    }
}

fn account_of(options: &Operator) -> Account {
    options.user_name.as_deref().map(Account::new).unwrap_or_default()
}

fn reporter_of(options: &Operator) -> String {
    let host = || {
        std::fs::read_to_string("/etc/hostname")
            .ok()
            .map(|h| h.trim().to_owned())
    };
    let name = options.pod_name.clone().or_else(host).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "instancelink".to_owned())
}

fn terms_of(options: &Operator, reporter: &str, clock: &dyn Clock) -> Terms {
    let namespace = options.lease_namespace.as_deref().unwrap_or("default");
    Terms {
        lease: ObjectName::new(namespace, &options.lease_name),
        // A pod that is started again under its name is another contender.
        identity: format!("{reporter}_{:x}_{:x}", std::process::id(), clock.now().as_nanosecond()),
        duration: options.lease_duration,
        renew_deadline: options.lease_renew_deadline,
        retry: options.lease_retry,
    }
}
