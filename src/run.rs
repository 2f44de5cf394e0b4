//! The task tree of the operator, and how it ends.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::{Command, Crds, Operator, Output, Verb};
use crate::cache::{Affected, Cache, Listener, ObjectName, watch};
use crate::calls::Calls;
use crate::clock::{Clock, SystemClock};
use crate::leader::lease::{Election, Leadership, Terms};
use crate::reconcile::driver::{Driver, source_of};
use crate::reconcile::events;
use crate::reconcile::queue::Queue;
use crate::reconcile::sweep::{Broom, Sweeper};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::{admin, logs};
use crate::{client, uninstall};

/// Runs a command to its end.
pub fn main(command: Command) -> ExitCode {
    let done = logs::start(command.log_format, &command.log).and_then(|()| dispatch(command.verb));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instancelink: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Crds(options) => print_crds(&options),
        Verb::Operator(options) => in_runtime(operate(options)),
        Verb::Uninstall(options) => in_runtime(uninstall::run(options)),
    }
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime cannot be started")?
        .block_on(work)
}

fn print_crds(options: &Crds) -> anyhow::Result<()> {
    let crd = instancelink_api::crd::instance_link();
    match options.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&crd)?),
        Output::Yaml => print!("---\n{}", serde_yaml_ng::to_string(&crd)?),
    }
    Ok(())
}

async fn operate(options: Operator) -> anyhow::Result<()> {
    let stop = stop_on_signals()?;
    let config = client::config().await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listener = admin::bind(options.admin_port).await?;
    let metrics = Arc::new(Metrics::new());
    let parts = Parts::build(&options, &config, &metrics, clock)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), server = %config.cluster_url, "operator starts");

    let shown = admin::Shown {
        metrics: Arc::clone(&metrics),
        cache: Arc::clone(&parts.cache),
    };
    let end = CancellationToken::new();
    let admin = tokio::spawn(admin::serve(listener, shown, end.clone()));
    let watches = watch::spawn(&parts.watches, &parts.cache, &metrics);
    let result = parts.lead(&options, stop).await;
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
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    terms: Option<Terms>,
    reporter: String,
}

impl Parts {
    fn build(
        options: &Operator,
        config: &Config,
        metrics: &Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let calls = Calls::new(client::for_calls(config)?, Arc::clone(metrics));
        let queue = Arc::new(Queue::new(usize::from(options.concurrency)));
        let broom = Arc::new(Broom::default());
        let wakes = Wakes {
            queue: Arc::clone(&queue),
            broom: Arc::clone(&broom),
            metrics: Arc::clone(metrics),
        };
        let cache = Arc::new(Cache::new(&watch::KINDS, Arc::new(wakes)));
        let known = Arc::clone(&cache);
        queue.find_sources_with(move |key| source_of(&known, key));
        let reporter = reporter_of(options);
        let terms = options
            .leader_elect
            .then(|| terms_of(options, config, &reporter, clock.as_ref()));
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
            watches: client::for_watches(config)?,
            calls,
            cache,
            queue,
            broom,
            metrics: Arc::clone(metrics),
            clock,
            terms,
            reporter,
        })
    }

    /// Waits for the caches and for the lease, then works until told to stop, or until the lease is lost.
    async fn lead(&self, options: &Operator, stop: CancellationToken) -> anyhow::Result<()> {
        let mut election = self
            .terms
            .clone()
            .map(|terms| Election::new(self.calls.clone(), Arc::clone(&self.clock), terms));
        let mut synced = self.cache.synced();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ready = synced.wait_for(|synced| *synced) => {
                ready.context("the caches ended before they were filled; this is a bug")?;
            }
        }
        tracing::info!("caches are filled");
        if let Some(election) = election.as_mut() {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = election.win() => {}
            }
        }
        let leadership = election.as_ref().map_or_else(Leadership::always, Election::leadership);
        self.metrics.leads(true);
        tracing::info!(concurrency = options.concurrency, "leading");
        let (publisher, sender) = events::channel(
            self.calls.clone(),
            &self.metrics,
            Arc::clone(&self.clock),
            &self.reporter,
        );
        let sender = tokio::spawn(sender.run());
        let sweeper = Sweeper {
            broom: Arc::clone(&self.broom),
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            calls: self.calls.clone(),
            leadership: leadership.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        let sweeper = tokio::spawn(sweeper.run(stop.clone()));
        let driver = Arc::new(Driver {
            cache: Arc::clone(&self.cache),
            queue: Arc::clone(&self.queue),
            calls: self.calls.clone(),
            events: publisher,
            leadership,
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            cluster_domain: options.cluster_domain.clone(),
        });
        let work = driver.run(stop.clone(), options.shutdown_grace);
        let kept = match election.as_mut() {
            None => {
                work.await;
                true
            }
            Some(election) => {
                // Renewed until the last pass has ended: only then may another begin.
                let ended = CancellationToken::new();
                let work = async {
                    work.await;
                    ended.cancel();
                };
                tokio::pin!(work);
                let kept = {
                    let keep = election.keep(&ended);
                    tokio::pin!(keep);
                    tokio::select! {
                        kept = &mut keep => kept,
                        () = &mut work => keep.await,
                    }
                };
                if kept {
                    election.release().await;
                }
                kept
            }
        };
        self.metrics.leads(false);
        sender.abort();
        sweeper.abort();
        if !kept {
            bail!(
                "the lease was lost: another operator may lead now, so this one stops; it is started again as a follower"
            );
        }
        tracing::info!("operator ends");
        Ok(())
    }
}

/// Passes on what the caches say.
struct Wakes {
    queue: Arc<Queue>,
    broom: Arc<Broom>,
    metrics: Arc<Metrics>,
}

impl Listener for Wakes {
    fn affected(&self, affected: Affected) {
        self.queue.add(&affected.links);
        self.broom.after(affected.gone);
    }

    fn listed(&self, kind: &'static str, times: u64) {
        if times > 1 {
            self.metrics.relisted(kind);
            self.broom.everything();
        }
    }
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

fn terms_of(options: &Operator, config: &Config, reporter: &str, clock: &dyn Clock) -> Terms {
    let namespace = options.lease_namespace.as_ref().or(options.pod_namespace.as_ref());
    let namespace = namespace.unwrap_or(&config.default_namespace);
    Terms {
        lease: ObjectName::new(namespace, &options.lease_name),
        // A pod that is started again under its name is another contender.
        identity: format!("{reporter}_{:x}_{:x}", std::process::id(), clock.now().as_nanosecond()),
        duration: options.lease_duration,
        renew_deadline: options.lease_renew_deadline,
        retry: options.lease_retry,
    }
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: finishing what runs"),
            _ = interrupt.recv() => tracing::info!("SIGINT: finishing what runs"),
        }
        told.cancel();
        // Whoever asks twice does not want to wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(stop)
}
