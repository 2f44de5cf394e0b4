//! The lease in the cluster: taken, renewed and released with full replacements that carry the resourceVersion read, so
//! that of two contenders the API server refuses one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use parking_lot::Mutex;
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::decide::{Before, Decision, Seen, decide, may_write, nobody_led_since};
use super::news::News;
use crate::clock::Clock;
use instancelink_cluster::{CallError, Calls, ObjectName};

/// The lease is looked at first of all for so long; without an answer nothing is lost but some lists later.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Where the lease is, and its times.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Namespace and name of the lease.
    pub(crate) lease: ObjectName,
    /// Who we are; unique to this process.
    pub(crate) identity: String,
    /// How long others wait for us.
    pub(crate) duration: Duration,
    /// How long we go on without a renewal that succeeded; shorter than `duration`.
    pub(crate) renew_deadline: Duration,
    /// Time between attempts.
    pub(crate) retry: Duration,
}

/// Whether this process may write. Cheap to ask before every group of writes.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    /// When the last renewal that succeeded was sent; none while we do not lead.
    renewed: Arc<Mutex<Option<Instant>>>,
    /// None: there is no election, and we always lead.
    deadline: Option<Duration>,
}

impl Leadership {
    /// Leads always: a single operator without election.
    pub(crate) fn always() -> Self {
        Self {
            renewed: Arc::default(),
            deadline: None,
        }
    }

    fn elected(deadline: Duration) -> Self {
        Self {
            renewed: Arc::default(),
            deadline: Some(deadline),
        }
    }

    /// True while writes are allowed.
    pub(crate) fn holds(&self) -> bool {
        let Some(deadline) = self.deadline else { return true };
        self.renewed.lock().is_some_and(|at| may_write(at.elapsed(), deadline))
    }

    fn set(&self, renewed: Option<Instant>) {
        *self.renewed.lock() = renewed;
    }
}

/// Takes part in the election.
pub(crate) struct Election {
    calls: Calls,
    watches: Client,
    clock: Arc<dyn Clock>,
    terms: Terms,
    leadership: Leadership,
    /// The lease as last read or written, and when it last changed before our eyes.
    known: Option<(Lease, Instant)>,
    /// The lease as it was before our lists began.
    before: Before,
    /// Nobody led between that and our taking the lease.
    undisturbed: bool,
}

impl Election {
    /// A contender that does not lead yet.
    pub(crate) fn new(calls: Calls, watches: Client, clock: Arc<dyn Clock>, terms: Terms) -> Self {
        let leadership = Leadership::elected(terms.renew_deadline);
        Self {
            calls,
            watches,
            clock,
            terms,
            leadership,
            known: None,
            before: Before::default(),
            undisturbed: false,
        }
    }

    /// Looks at the lease, before anything is listed.
    pub(crate) async fn look(&mut self) {
        if !matches!(tokio::time::timeout(FIRST_LOOK, self.read()).await, Ok(Ok(()))) {
            return;
        }
        self.before = match &self.known {
            None => Before::Absent,
            Some((lease, _)) => match (self.seen(), version(lease)) {
                (Some(seen), Some(version)) if seen.holder.is_empty() => Before::Free(version),
                _ => Before::Held,
            },
        };
    }

    /// True where our lists show all that operators wrote that led before us.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.undisturbed
    }

    /// The answer to "may I write?", for the rest of the operator.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until this process leads.
    pub(crate) async fn win(&mut self) {
        let mut holder = String::new();
        let mut news = News::of(self.watches.clone(), &self.terms.lease);
        loop {
            match self.attempt().await {
                Ok(true) => return,
                Ok(false) => self.report_holder(&mut holder),
                Err(error) => {
                    tracing::warn!(lease = %self.terms.lease, %error, "the lease cannot be had; trying again");
                }
            }
            self.wait(&mut news).await;
        }
    }

    /// Waits until the next attempt is due, or the lease is free, or has run out.
    async fn wait(&mut self, news: &mut News) {
        let due = Instant::now() + self.terms.retry;
        loop {
            let runs_out = self.seen().map(|seen| seen.duration.saturating_sub(seen.unchanged));
            // One that has run out already was tried, and is not to be had.
            let runs_out = runs_out
                .filter(|left| !left.is_zero())
                .map(|left| Instant::now() + left);
            tokio::select! {
                () = tokio::time::sleep_until(runs_out.map_or(due, |at| at.min(due))) => return,
                lease = news.next() => match lease {
                    Some(lease) => self.know(lease),
                    None => self.known = None,
                },
            }
            if self.seen().is_none_or(|seen| seen.holder.is_empty()) {
                return;
            }
        }
    }

    fn report_holder(&self, reported: &mut String) {
        let spec = self.known.as_ref().and_then(|(lease, _)| lease.spec.as_ref());
        let holder = spec.and_then(|s| s.holder_identity.as_deref()).unwrap_or_default();
        if holder != reported {
            tracing::info!(holder, "another operator leads; caches are kept warm");
            holder.clone_into(reported);
        }
    }

    /// Renews until told to stop, then releases the lease; or returns `false` as soon as leadership is lost.
    pub(crate) async fn keep(&mut self, stop: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    return true;
                }
                () = tokio::time::sleep(self.terms.retry) => {}
            }
            let left = self.time_left();
            match tokio::time::timeout(left, self.attempt()).await {
                Ok(Ok(true)) | Err(_) => {}
                Ok(Ok(false)) => {
                    self.leadership.set(None);
                    return false;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease was not renewed; trying again"),
            }
            if !self.leadership.holds() {
                self.leadership.set(None);
                return false;
            }
        }
    }

    /// Gives the lease back, so that another takes over at once.
    pub(crate) async fn release(&mut self) {
        self.leadership.set(None);
        let Some((lease, _)) = self.known.clone() else { return };
        let mut spec = lease.spec.clone().unwrap_or_default();
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(self.clock.now()));
        let released = Lease {
            spec: Some(spec),
            ..lease
        };
        match self.calls.replace("Lease", &self.terms.lease, &released).await {
            Ok(IgnoredAny) => tracing::info!(lease = %self.terms.lease, "lease released"),
            Err(error) => tracing::warn!(%error, "the lease was not released; others wait until it runs out"),
        }
    }

    fn time_left(&self) -> Duration {
        let renewed = *self.leadership.renewed.lock();
        renewed.map_or(Duration::ZERO, |at| {
            self.terms.renew_deadline.saturating_sub(at.elapsed())
        })
    }

    /// One attempt to take or renew the lease: true where we hold it now.
    async fn attempt(&mut self) -> Result<bool, CallError> {
        // A renewal is tried on what we know; only a contender, or one that was refused, has to read.
        let ours = self.leadership.holds() && self.known.is_some();
        if !ours {
            self.read().await?;
        }
        match decide(&self.terms.identity, self.seen().as_ref()) {
            Decision::Wait => Ok(false),
            Decision::Create => self.write(None).await,
            Decision::Renew | Decision::TakeOver => {
                self.write(self.known.as_ref().map(|(lease, _)| lease.clone())).await
            }
        }
    }

    async fn read(&mut self) -> Result<(), CallError> {
        match self.calls.get::<Lease>("Lease", &self.terms.lease).await {
            Ok(lease) => self.know(lease),
            Err(CallError::NotFound(_)) => self.known = None,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn write(&mut self, from: Option<Lease>) -> Result<bool, CallError> {
        let sent = Instant::now();
        let lease = build_lease(&self.terms, from.as_ref(), self.clock.now());
        let answer = if from.is_some() {
            self.calls.replace("Lease", &self.terms.lease, &lease).await
        } else {
            self.calls.create("Lease", &self.terms.lease, &lease).await
        };
        match answer {
            Ok(lease) => {
                if !self.leadership.holds() {
                    let taken = from.as_ref().and_then(version);
                    self.undisturbed = nobody_led_since(&self.before, taken.as_deref());
                }
                self.know(lease);
                self.leadership.set(Some(sent));
                Ok(true)
            }
            // Somebody else wrote: who leads now is to be read, not guessed.
            Err(CallError::Conflict(_) | CallError::AlreadyExists(_) | CallError::NotFound(_)) => {
                self.read().await?;
                let holds = self.seen().is_some_and(|s| s.holder == self.terms.identity);
                Ok(holds && self.leadership.holds())
            }
            Err(error) => Err(error),
        }
    }

    fn know(&mut self, lease: Lease) {
        match self.known.as_mut() {
            Some((known, _)) if version(known) == version(&lease) => {}
            _ => self.known = Some((lease, Instant::now())),
        }
    }

    fn seen(&self) -> Option<Seen> {
        let (lease, since) = self.known.as_ref()?;
        let spec = lease.spec.clone().unwrap_or_default();
        Some(Seen {
            holder: spec.holder_identity.unwrap_or_default(),
            duration: spec
                .lease_duration_seconds
                .and_then(|s| u64::try_from(s).ok())
                .map_or(self.terms.duration, Duration::from_secs),
            unchanged: since.elapsed(),
        })
    }
}

fn version(lease: &Lease) -> Option<String> {
    lease.metadata.resource_version.clone()
}

/// In whole seconds, as a lease counts, and never fewer: others would begin to write while we still do.
fn seconds_of(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn build_lease(terms: &Terms, from: Option<&Lease>, now: Timestamp) -> Lease {
    let before = from.and_then(|l| l.spec.clone()).unwrap_or_default();
    let renews = before.holder_identity.as_deref() == Some(terms.identity.as_str());
    let transitions = before.lease_transitions.unwrap_or_default();
    let spec = LeaseSpec {
        holder_identity: Some(terms.identity.clone()),
        lease_duration_seconds: i32::try_from(seconds_of(terms.duration)).ok(),
        renew_time: Some(MicroTime(now)),
        acquire_time: if renews {
            before.acquire_time
        } else {
            Some(MicroTime(now))
        },
        lease_transitions: Some(if renews || from.is_none() {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..before
    };
    let metadata = from.map_or_else(
        || ObjectMeta {
            namespace: Some(terms.lease.namespace.to_string()),
            name: Some(terms.lease.name.to_string()),
            ..ObjectMeta::default()
        },
        |l| l.metadata.clone(),
    );
    Lease {
        metadata,
        spec: Some(spec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(duration: Duration) -> Duration {
        let terms = Terms {
            lease: ObjectName::new("system", "lease"),
            identity: "me".to_owned(),
            duration,
            renew_deadline: duration / 2,
            retry: duration / 10,
        };
        let seconds = build_lease(&terms, None, Timestamp::UNIX_EPOCH).spec.unwrap();
        Duration::from_secs(u64::try_from(seconds.lease_duration_seconds.unwrap()).unwrap())
    }

    /// The others go by the lease, which counts in seconds; we go by the option.
    #[test]
    fn others_are_never_told_to_wait_for_less_than_we_go_by() {
        for millis in [500, 2_000, 2_900, 15_000, 15_500] {
            let duration = Duration::from_millis(millis);
            assert!(
                published(duration) >= duration,
                "{duration:?}: {:?}",
                published(duration)
            );
        }
        assert_eq!(published(Duration::from_secs(15)), Duration::from_secs(15));
    }
}
