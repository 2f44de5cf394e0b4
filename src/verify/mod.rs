//! Looks aliases up in the cluster's DNS as pods do, a few at a time, and leaves what it saw for the next pass. Core says
//! what that comes to, and when to look again; nothing here is in the way of a pass.

mod dns;
mod schedule;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use instancelink_api::{InstanceLink, State};
use instancelink_core::child::{Observed, Slice};
use instancelink_core::resolve::{directory_of, fqdn};
use instancelink_core::verify::{Answer, Lookup, Resolution, api_server_in, finding, programmed};
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::reconcile::queue::Queue;
pub(crate) use dns::of_pod;
use instancelink_cluster::{Cache, Cause, Index, LinkKey};
use schedule::{Life, Print, Schedule};

/// Looks on their way at once, and time from one to the next: ten thousand links must not flood the DNS.
const IN_FLIGHT: usize = 8;
const PACE: Duration = Duration::from_millis(50);

/// How long the message of a finding stays, if nothing but they would change.
const WORDS_STAY: SignedDuration = SignedDuration::from_mins(10);

/// The DNS as pods ask it.
pub trait Resolver: Send + Sync {
    /// What it says now of a complete name, both families together. Nothing may be cached on the way.
    fn ask<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Answer>;
    /// The cluster's domain by the search list of this pod.
    fn domain_of_pod(&self) -> Option<&str>;
}

/// Everything a look needs.
pub(crate) struct Verifier {
    resolver: Option<Arc<dyn Resolver>>,
    cache: Arc<Cache>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    cluster_domain: String,
    schedule: Mutex<Schedule>,
    changed: Notify,
}

impl Verifier {
    /// One that has seen nothing yet; without a resolver, one that never looks.
    pub(crate) fn new(
        resolver: Option<Arc<dyn Resolver>>,
        cache: Arc<Cache>,
        queue: Arc<Queue>,
        clock: Arc<dyn Clock>,
        cluster_domain: &str,
    ) -> Self {
        Self {
            resolver,
            cache,
            queue,
            clock,
            cluster_domain: cluster_domain.to_owned(),
            schedule: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// What was seen of a link last, for its next decision.
    pub(crate) fn seen(&self, key: &LinkKey, link: &InstanceLink) -> Lookup {
        if self.resolver.is_none() {
            return Lookup::Off;
        }
        let seen = self.schedule.lock().believed(key, &life_of(link));
        seen.map_or(Lookup::Pending, Lookup::Seen)
    }

    /// A pass has come to its end: whatever it changed in the alias is looked up soon.
    pub(crate) fn settled(&self, key: &LinkKey, link: &InstanceLink, slices: &[Observed<Slice>]) {
        if self.resolver.is_none() {
            return;
        }
        if !is_up(link) {
            return self.forget(key);
        }
        let directory = directory_of(link, None);
        let programmed = programmed(slices.iter(), &directory);
        self.schedule
            .lock()
            .note(key, &life_of(link), print_of(programmed), Instant::now());
        self.changed.notify_one();
    }

    /// There is no such link any more.
    pub(crate) fn forget(&self, key: &LinkKey) {
        self.schedule.lock().forget(key);
    }

    /// Looks until told to stop.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(resolver) = self.resolver.clone() else {
            return;
        };
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                key = self.next(), if looks.len() < IN_FLIGHT => {
                    let (this, resolver) = (Arc::clone(&self), Arc::clone(&resolver));
                    looks.spawn(async move { this.look(&key, resolver.as_ref()).await });
                    pace.tick().await;
                }
                Some(_) = looks.join_next() => {}
            }
        }
    }

    /// Waits for the next link that is due.
    async fn next(&self) -> LinkKey {
        loop {
            let timer = {
                let mut schedule = self.schedule.lock();
                if let Some(key) = schedule.pop(Instant::now()) {
                    return key;
                }
                schedule.next_timer()
            };
            let timer = timer.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(timer) => {}
            }
        }
    }

    async fn look(&self, key: &LinkKey, resolver: &dyn Resolver) {
        let question = self.cache.read(|index| Question::of(index, key, &self.cluster_domain));
        let Some(Question { life, name, programmed }) = question else {
            return self.forget(key);
        };
        let print = print_of(programmed.iter().copied());
        let at = self.clock.now();
        let answer = resolver.ask(&name).await;
        let found = matches!(&answer, Answer::Addresses(found) if !found.is_empty());
        let api_server = if found || programmed.is_empty() {
            None
        } else {
            Some(resolver.ask(&api_server_in(&self.cluster_domain)).await)
        };
        let resolution = Resolution {
            at,
            name,
            programmed,
            answer,
            api_server,
            domain_of_pod: resolver.domain_of_pod().map(str::to_owned),
        };
        let agrees = finding(&resolution, &self.cluster_domain).status == "True";
        tracing::debug!(link = %key, agrees, ?resolution, "looked up");
        if self.believes(key, &life, print, agrees, resolution) {
            self.queue.add([(key, &Cause::Change)]);
        }
    }

    /// Keeps what was seen. True where that is news.
    fn believes(&self, key: &LinkKey, life: &Life, print: Print, agrees: bool, seen: Resolution) -> bool {
        let mut schedule = self.schedule.lock();
        if !schedule.looked(key, life, print, agrees, Instant::now()) {
            return false;
        }
        if let Some(before) = schedule.believed(key, life) {
            let (old, new) = (
                finding(&before, &self.cluster_domain),
                finding(&seen, &self.cluster_domain),
            );
            // Addresses in the words for what is wrong may change with every look: the words stay for a while.
            let recent = seen.at.duration_since(before.at) < WORDS_STAY;
            if old == new || (recent && (old.status, old.reason) == (new.status, new.reason)) {
                return false;
            }
        }
        schedule.believe(key, Arc::new(seen));
        true
    }
}

/// What is to be asked for a link, and what the answer should be.
struct Question {
    life: Life,
    name: String,
    programmed: BTreeSet<IpAddr>,
}

impl Question {
    /// None where the link is not up.
    fn of(index: &Index, key: &LinkKey, domain: &str) -> Option<Self> {
        let link = &*index.link(key)?;
        if !is_up(link) {
            return None;
        }
        let slices = index.slices.by_link.get(uid_of(link));
        let slices = slices.filter_map(|name| Some(index.slices.table.get(name)?.child.get(&index.recent)));
        let slices: Vec<_> = slices.collect();
        let directory = directory_of(link, None);
        Some(Self {
            life: life_of(link),
            name: fqdn(&link.spec.link_name, &directory, &key.namespace, domain),
            programmed: programmed(slices.iter().map(AsRef::as_ref), &directory).collect(),
        })
    }
}

fn is_up(link: &InstanceLink) -> bool {
    link.state() == State::Active && link.metadata.deletion_timestamp.is_none()
}

fn uid_of(link: &InstanceLink) -> &str {
    link.metadata.uid.as_deref().unwrap_or_default()
}

fn life_of(link: &InstanceLink) -> Life {
    let last = link.status.as_ref().and_then(|status| status.history.last());
    Life {
        uid: uid_of(link).to_owned(),
        since: last.map(|entry| entry.at.0),
    }
}

/// A sum, so that order does not count.
fn print_of(addresses: impl Iterator<Item = IpAddr>) -> Print {
    let hash = |address: IpAddr| {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        hasher.finish()
    };
    addresses.fold(0, |sum, address| sum.wrapping_add(hash(address)))
}

#[cfg(test)]
mod tests;
