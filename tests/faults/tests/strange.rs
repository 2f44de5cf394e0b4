//! The largest and strangest legal objects of every kind that the operator reads, in the namespace of one tenant. Another
//! tenant's links are created, cut, restored and deleted meanwhile. They take at most twice their quiet time. The operator
//! lives within its memory and sends few requests. It reads each object, or names it in its log.
//!
//! `INSTANCELINK_STRANGE=Pod:17` writes only this object. Separate several by commas.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, MemoryLimit, Operator, Options};
use faults::strange::{Cycles, KINDS, Kind, Schemas, Tenant, Writers, install, only};
use faults::{Proxy, delete, path_of};
use futures::FutureExt as _;
use harness::link;
use instancelink_api::State::Active;
use instancelink_testkit::campaign;
use tokio::time::{sleep, timeout};

/// Quiet measurements, of which the slowest counts.
const QUIET: u32 = 3;
/// What may be added to twice the quiet time: the API server, etcd and the writers share the processors.
const SLACK: Duration = Duration::from_secs(1);
/// How often a change that took longer is tried: what the objects cost comes back, and what other processes cost does not.
const ATTEMPTS: u32 = 3;
/// Of the cuts and restores, one in so many may take longer, up to `LONGEST`: they run while objects of 1.5 MB are written.
const ONE_IN: usize = 20;
const LONGEST: Duration = Duration::from_secs(10);
/// How long the link is cut and restored before the first strange object.
const CALM: Duration = Duration::from_secs(8);
/// The memory limit in `deploy/`, and the part of it that the operator may use.
const SHIPPED: u64 = 512 << 20;
const PEAK: u64 = SHIPPED / 2;
/// The memory at rest that counts at least: a new operator has allocated little.
const LEAST: u64 = 24 << 20;
/// What the operator may keep of an object, in addition to one and a half times its memory at rest.
const KEPT: u64 = 64 << 10;
/// What it may have more than at rest when the objects are gone. The allocator keeps pages: 34 to 37 MiB in all were measured.
const LEFT: u64 = 16 << 20;
/// How long a link may take until it has a state, or is gone.
const LOOKS: Duration = Duration::from_secs(30);
const ENDS: Duration = Duration::from_mins(1);
/// Requests of the operator for each object, with those for the links of both tenants.
const REQUESTS: usize = 12;

struct Campaign {
    plane: ControlPlane,
    proxy: Proxy,
    operator: Operator,
    writers: Writers,
    tenant: Tenant,
    /// How long each kind takes when nothing else happens.
    quiet: BTreeMap<&'static str, Duration>,
    /// The memory at rest, before the first strange object.
    memory: u64,
    violations: Vec<String>,
    written: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_the_largest_and_strangest_legal_objects_of_a_tenant_do_not_harm_another() {
    let mut run = Campaign::prepare().await;
    let campaign = campaign::start("the largest and strangest objects, real API server");
    let limit = MemoryLimit::new("strange", SHIPPED);
    if let Some(limit) = &limit {
        limit.put(&run.operator.program);
    }
    let cycles = Cycles::default();
    let cycle = run
        .tenant
        .home
        .link(link("cycle", "cycle", "Deployment/web", "Service/pg"))
        .await;
    cycle.reaches(Active).await;
    let (requests, ()) = tokio::join!(run.all_kinds(&cycles), cycles.run(&cycle));
    let (quiet, loud) = cycles.times();
    let slow = loud.iter().filter(|took| **took > quiet * 2 + SLACK).count();
    let longest = loud.iter().max().copied().unwrap_or_default();
    let times = format!(
        "{} cuts and restores took up to {longest:?}, {slow} of them more than twice the time before, {quiet:?}",
        loud.len()
    );
    println!("{times}");
    if slow > loud.len() / ONE_IN || longest > LONGEST || loud.is_empty() {
        run.wrong(times);
    }
    let requests = run.proxy.count() - requests;
    let links = loud.len() * 20;
    println!("{requests} requests of the operator for {} objects", run.written);
    if requests > links + REQUESTS * usize::try_from(run.written).unwrap() {
        run.wrong(format!(
            "{requests} requests of the operator for {} objects",
            run.written
        ));
    }
    if !run.ended() {
        run.restart(limit.as_ref()).await;
        run.all_go().await;
        run.memory_falls().await;
    }
    drop(limit);
    let log = run.operator.program.log();
    let panics: Vec<String> = log
        .lines()
        .filter(|line| line.contains("panicked at"))
        .map(str::to_owned)
        .collect();
    run.violations.extend(panics);
    campaign.finish(run.written, run.written, &run.violations);
}

impl Campaign {
    async fn prepare() -> Self {
        let plane = ControlPlane::start().await;
        let proxy = Proxy::start(&plane).await;
        let home = plane.namespace("home".to_owned()).await;
        let friend = plane.namespace("friend".to_owned()).await;
        let other = plane.namespace("other".to_owned()).await;
        install(&plane.client, &[&home, &other]).await;
        let editor = plane.editor_of(&other, "tenant").await;
        let operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
        let mut versions: Vec<&str> = KINDS.iter().map(|kind| kind.api_version).collect();
        versions.sort_unstable();
        versions.dedup();
        let schemas = Schemas::fetch(&plane.client, &versions).await;
        let writers = Writers {
            editor,
            administrator: plane.client.clone(),
            namespace: other.name,
            schemas,
        };
        let tenant = Tenant::settle(home, friend).await;
        let mut run = Self {
            plane,
            proxy,
            operator,
            writers,
            tenant,
            quiet: BTreeMap::new(),
            memory: 0,
            violations: Vec::new(),
            written: 0,
        };
        for kind in &KINDS {
            for number in 0..QUIET {
                let took = run.tenant.follows(kind, number).await;
                let longest = run.quiet.entry(kind.kind).or_default();
                *longest = took.max(*longest);
            }
        }
        println!("quiet: {:?}", run.quiet);
        run
    }

    /// Writes all kinds. Returns the number of requests before.
    async fn all_kinds(&mut self, cycles: &Cycles) -> usize {
        sleep(CALM).await;
        cycles.calm_is_over();
        self.memory = self.operator.program.memory("RssAnon").unwrap().max(LEAST);
        let before = self.proxy.count();
        for kind in &KINDS {
            self.kind(kind).await;
            if self.ended() {
                break;
            }
        }
        cycles.stop();
        before
    }

    fn wrong(&mut self, what: String) {
        println!("{what}");
        self.violations.push(what);
    }

    /// Writes the objects of a kind, looks what the tenants see, and deletes most of them.
    async fn kind(&mut self, kind: &'static Kind) {
        let started = Instant::now();
        let numbers = self.writers.write(kind).await;
        let wrote = started.elapsed();
        self.written += numbers.len() as u64;
        let wanted = Writers::wanted(kind);
        if only().is_none() && numbers.len() < wanted as usize {
            self.wrong(format!(
                "the API server took only {} objects of {}",
                numbers.len(),
                kind.kind
            ));
        }
        let followed = self.follow(kind, QUIET, "").await;
        let unread = self
            .writers
            .unread(kind, &numbers, &|| self.operator.program.log())
            .await;
        if let Some(unread) = unread {
            self.wrong(unread);
        }
        let memory = self.operator.program.memory("RssAnon").unwrap_or_default();
        let peak = self.operator.program.memory("VmHWM").unwrap_or_default();
        let (count, name) = (numbers.len(), kind.kind);
        println!(
            "{name}: {count} written in {wrote:?}, followed in {followed:?}, {} MiB, {} MiB at most",
            memory >> 20,
            peak >> 20
        );
        let most = self.memory * 3 / 2 + KEPT * self.written;
        if memory > most || peak > PEAK {
            self.wrong(format!("{name}: {} MiB, {} MiB at most", memory >> 20, peak >> 20));
        }
        if !self.ended() && !self.operator.lives().await {
            self.wrong(format!("{}: the operator's liveness probe failed", kind.kind));
        }
        self.writers.delete_most(kind, &numbers).await;
    }

    /// The tenant's links follow a change of an object of this kind. The quickest attempt counts.
    async fn follow(&mut self, kind: &'static Kind, number: u32, when: &str) -> Duration {
        let quiet = self.quiet[kind.kind];
        let mut quickest = Duration::MAX;
        for attempt in 0..ATTEMPTS {
            let follows = self.tenant.follows(kind, number * ATTEMPTS + attempt);
            match AssertUnwindSafe(follows).catch_unwind().await {
                Ok(took) => quickest = took.min(quickest),
                Err(panic) => {
                    let why: String = text_of(panic.as_ref()).chars().take(600).collect();
                    self.wrong(format!("{}{when}: the tenant's links do not follow: {why}", kind.kind));
                    return Duration::MAX;
                }
            }
            if quickest <= quiet * 2 + SLACK {
                return quickest;
            }
        }
        self.wrong(format!(
            "{}{when}: the tenant's links took {quickest:?}, and {quiet:?} before",
            kind.kind
        ));
        quickest
    }

    /// An operator that starts with all remaining objects is ready, and sees each kind.
    async fn restart(&mut self, limit: Option<&MemoryLimit>) {
        self.operator.program.kill().await;
        let started = Instant::now();
        self.operator = Operator::start(&self.plane, &self.proxy.server, &Options::alone()).await;
        if let Some(limit) = limit {
            limit.put(&self.operator.program);
        }
        let ready = AssertUnwindSafe(self.operator.is_ready(ENDS)).catch_unwind().await;
        println!("ready after {:?}", started.elapsed());
        if ready.is_err() {
            self.wrong(format!(
                "a restarted operator is not ready: {}",
                self.operator.program.tail()
            ));
            return;
        }
        for kind in &KINDS {
            self.follow(kind, QUIET + 1, ", after a restart").await;
        }
    }

    /// The links of the strange tenant lose the operator's finalizer when they are deleted.
    async fn all_go(&mut self) {
        let path = KINDS[0].path(&self.writers.namespace, "");
        let _ = delete(&self.plane.client, &path).await;
        let held = async || {
            let request = http::Request::get(&path).body(Vec::new()).expect("a request");
            let list = self.plane.client.request_text(request).await.unwrap_or_default();
            list.matches("\"instancelink.dev/lifecycle\"").count()
        };
        let gone = timeout(ENDS, async {
            while held().await > 0 {
                sleep(Duration::from_millis(500)).await;
            }
        });
        if gone.await.is_err() {
            let held = held().await;
            self.wrong(format!("{held} links of the strange tenant are not cleaned up"));
        }
    }

    /// When the objects are gone, their memory is given back.
    async fn memory_falls(&mut self) {
        let before = self.memory;
        for kind in &KINDS {
            if kind.kind != "Namespace" {
                let _ = delete(
                    &self.plane.client,
                    &path_of(
                        kind.api_version,
                        &self.writers.namespace,
                        &faults::plural_of(kind.kind),
                        "",
                    ),
                )
                .await;
            }
        }
        let started = Instant::now();
        let mut now = u64::MAX;
        while now > before + LEFT && started.elapsed() < LOOKS {
            sleep(Duration::from_secs(1)).await;
            now = self.operator.program.memory("RssAnon").unwrap_or(0);
        }
        let peak = self.operator.program.memory("VmHWM").unwrap_or_default();
        println!(
            "{} MiB at rest, {} MiB at rest before, {} MiB at most",
            now >> 20,
            before >> 20,
            peak >> 20
        );
        if now > before + LEFT {
            self.wrong(format!("{} MiB are left of {} MiB", now >> 20, before >> 20));
        }
    }

    fn ended(&mut self) -> bool {
        let Some(status) = self.operator.program.ended() else {
            return false;
        };
        let tail = self.operator.program.tail();
        let line = format!("the operator ended with {status}: {tail}");
        if !self.violations.contains(&line) {
            self.wrong(line);
        }
        true
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()))
        .unwrap_or_default()
}
