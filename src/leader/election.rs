//! Takes, renews and releases the lease. Each write is a full replacement with the resourceVersion that was read, so of two
//! contenders the API server refuses one.

use std::sync::Arc;
use std::time::Duration;

use instancelink_cluster::{CallError, Calls};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::config::LeaseConfig;
use super::decide::{Decision, InitialLease, ObservedLease, decide, no_leader_since};
use super::leadership::Leadership;
use super::lease::{held_lease, observed_lease, released_lease, version_of};
use super::lease_watch::LeaseWatch;
use crate::clock::Clock;

/// Time for the read of the lease before the first lists. Without an answer the only cost is a second round of lists.
const INITIAL_READ: Duration = Duration::from_secs(1);
/// Time for a request for the lease that is in flight when the process stops. The pod is killed 30 s after SIGTERM.
const LAST_REQUEST: Duration = Duration::from_secs(5);

/// One contender of the election.
pub(crate) struct Election {
    calls: Calls,
    watches: Client,
    clock: Arc<dyn Clock>,
    config: LeaseConfig,
    leadership: Leadership,
    /// The lease as last read or written, and when this version was first seen.
    known: Option<(Lease, Instant)>,
    /// The last write of the lease had no clear answer: it may have been done.
    write_is_unconfirmed: bool,
    /// The lease before the first lists of this process.
    initial: InitialLease,
    /// No operator led between that and the write that took the lease.
    caches_are_current: bool,
}

impl Election {
    /// A contender that does not lead yet.
    pub(crate) fn new(calls: Calls, watches: Client, clock: Arc<dyn Clock>, config: LeaseConfig) -> Self {
        let leadership = Leadership::elected(config.renew_deadline);
        Self {
            calls,
            watches,
            clock,
            config,
            leadership,
            known: None,
            write_is_unconfirmed: false,
            initial: InitialLease::default(),
            caches_are_current: false,
        }
    }

    /// Reads the lease before the first lists begin.
    pub(crate) async fn read_initial(&mut self) {
        if !matches!(timeout(INITIAL_READ, self.read()).await, Ok(Ok(()))) {
            return;
        }
        self.initial = match &self.known {
            None => InitialLease::Absent,
            Some((lease, _)) => match (self.observed(), version_of(lease)) {
                (Some(observed), Some(version)) if observed.holder.is_empty() => InitialLease::Free(version),
                _ => InitialLease::Held,
            },
        };
    }

    /// True if the lists of this process contain everything that earlier leaders wrote.
    pub(crate) fn caches_are_current(&self) -> bool {
        self.caches_are_current
    }

    /// The answer to "may this process write?", for the rest of the operator.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until this process leads. False if `stop` comes first; then this process does not hold the lease.
    pub(crate) async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        let mut logged_holder = String::new();
        let mut watch = LeaseWatch::new(self.watches.clone(), &self.config.lease);
        while !stop.is_cancelled() {
            match self.attempt_before(stop).await {
                Some(Ok(true)) if !stop.is_cancelled() => return true,
                Some(Ok(true)) | None => break,
                Some(Ok(false)) => self.log_holder(&mut logged_holder),
                Some(Err(error)) => {
                    tracing::warn!(
                        lease = %self.config.lease,
                        %error,
                        "the lease cannot be read or written; retrying. If permission is missing: grant get, create and \
                         update on leases in this namespace to the operator's service account"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(&mut watch) => {}
            }
        }
        self.abandon().await;
        false
    }

    /// One attempt. A request that is in flight when `stop` comes is given some time: dropped at once, it could still take
    /// the lease, and no process would release it. None if that time did not suffice.
    async fn attempt_before(&mut self, stop: &CancellationToken) -> Option<Result<bool, CallError>> {
        let attempt = self.attempt();
        tokio::pin!(attempt);
        tokio::select! {
            biased;
            result = &mut attempt => Some(result),
            () = stop.cancelled() => timeout(LAST_REQUEST, attempt).await.ok(),
        }
    }

    /// Releases the lease if this process holds it, or may hold it by a write without an answer.
    async fn abandon(&mut self) {
        if self.write_is_unconfirmed && !matches!(timeout(LAST_REQUEST, self.read()).await, Ok(Ok(()))) {
            tracing::warn!(
                lease = %self.config.lease,
                "the operator stops, and it is unknown whether it holds the lease; others wait until it expires"
            );
            return;
        }
        if self
            .observed()
            .is_some_and(|lease| lease.holder == self.config.identity)
        {
            self.release().await;
        }
    }

    /// Waits until the next attempt is due, or the lease is free, or has expired.
    async fn wait(&mut self, watch: &mut LeaseWatch) {
        let due = Instant::now() + self.config.retry;
        loop {
            let left = self
                .observed()
                .map(|lease| lease.duration.saturating_sub(lease.unchanged));
            // A lease that has expired already was tried in the last attempt, without success.
            let expires = left.filter(|left| !left.is_zero()).map(|left| Instant::now() + left);
            tokio::select! {
                () = tokio::time::sleep_until(expires.map_or(due, |at| at.min(due))) => return,
                lease = watch.next() => match lease {
                    Some(lease) => self.remember(lease),
                    None => self.known = None,
                },
            }
            if self.observed().is_none_or(|lease| lease.holder.is_empty()) {
                return;
            }
        }
    }

    fn log_holder(&self, logged: &mut String) {
        let holder = self.observed().map(|lease| lease.holder).unwrap_or_default();
        if holder != *logged {
            tracing::info!(
                holder,
                "another operator leads; this one keeps its caches up to date and waits"
            );
            *logged = holder;
        }
    }

    /// Renews the lease until `done`; false as soon as the leadership is lost.
    pub(crate) async fn renew_until(&mut self, done: &CancellationToken) -> bool {
        loop {
            // Not longer than the leadership lasts, so that its end is noticed at once.
            let pause = self.config.retry.min(self.leadership.time_left());
            tokio::select! {
                () = done.cancelled() => {
                    return true;
                }
                () = tokio::time::sleep(pause) => {}
            }
            let left = self.leadership.time_left();
            match timeout(left, self.attempt()).await {
                Ok(Ok(true)) | Err(_) => {}
                Ok(Ok(false)) => {
                    self.leadership.end();
                    return false;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease was not renewed; retrying"),
            }
            if !self.leadership.holds() {
                self.leadership.end();
                return false;
            }
        }
    }

    /// Releases the lease, so that another operator takes over at once.
    pub(crate) async fn release(&mut self) {
        self.leadership.end();
        let Some((lease, _)) = &self.known else { return };
        let released = released_lease(lease, self.clock.now());
        match self.calls.replace("Lease", &self.config.lease, &released).await {
            Ok(IgnoredAny) => tracing::info!(lease = %self.config.lease, "lease released"),
            Err(error) => tracing::warn!(%error, "the lease was not released; others wait until it expires"),
        }
    }

    /// One attempt to take or renew the lease: true if this process holds it now.
    async fn attempt(&mut self) -> Result<bool, CallError> {
        // The leader renews the version it knows. Only a contender, or a leader that was refused, has to read first.
        let is_leader = self.leadership.holds() && self.known.is_some();
        if !is_leader {
            self.read().await?;
        }
        match decide(&self.config.identity, self.observed().as_ref()) {
            Decision::Wait => Ok(false),
            Decision::Create => self.write(None).await,
            Decision::Renew | Decision::TakeOver => {
                self.write(self.known.as_ref().map(|(lease, _)| lease.clone())).await
            }
        }
    }

    async fn read(&mut self) -> Result<(), CallError> {
        match self.calls.get::<Lease>("Lease", &self.config.lease).await {
            Ok(lease) => self.remember(lease),
            Err(CallError::NotFound(_)) => self.known = None,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn write(&mut self, from: Option<Lease>) -> Result<bool, CallError> {
        let sent = Instant::now();
        let lease = held_lease(&self.config, from.as_ref(), self.clock.now());
        // Stays true if this future is dropped before the answer.
        self.write_is_unconfirmed = true;
        let answer = if from.is_some() {
            self.calls.replace("Lease", &self.config.lease, &lease).await
        } else {
            self.calls.create("Lease", &self.config.lease, &lease).await
        };
        self.write_is_unconfirmed = matches!(&answer, Err(error) if error.leaves_doubt());
        match answer {
            Ok(lease) => {
                if !self.leadership.holds() {
                    let taken = from.as_ref().and_then(version_of);
                    self.caches_are_current = no_leader_since(&self.initial, taken.as_deref());
                }
                self.remember(lease);
                self.leadership.renewed_at(sent);
                Ok(true)
            }
            // Another contender wrote. Who leads now has to be read.
            Err(CallError::Conflict(_) | CallError::AlreadyExists(_) | CallError::NotFound(_)) => {
                self.read().await?;
                let is_holder = self
                    .observed()
                    .is_some_and(|lease| lease.holder == self.config.identity);
                Ok(is_holder && self.leadership.holds())
            }
            Err(error) => Err(error),
        }
    }

    fn remember(&mut self, lease: Lease) {
        match self.known.as_mut() {
            Some((known, _)) if version_of(known) == version_of(&lease) => {}
            _ => self.known = Some((lease, Instant::now())),
        }
    }

    fn observed(&self) -> Option<ObservedLease> {
        let (lease, since) = self.known.as_ref()?;
        Some(observed_lease(lease, *since, &self.config))
    }
}

#[cfg(test)]
pub(super) mod tests;
