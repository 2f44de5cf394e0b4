//! The task that looks up aliases, and the results that passes read.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::{InstanceLink, State};
use instancelink_cluster::{Cache, Cause, Index, LinkKey};
use instancelink_core::child::{Observed, Slice};
use instancelink_core::resolve::{fqdn, known_directory_of};
use instancelink_core::verify::{Answer, Lookup, Resolution, api_server_in, finding, programmed};
use jiff::SignedDuration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::lookup_schedule::{Activation, Fingerprint, LookupSchedule};
use super::resolver::Resolver;
use crate::clock::Clock;
use crate::due_lookups::DueLookups;
use crate::queue::Queue;

/// How long the message of a finding is kept if only the message would change.
const MESSAGE_KEPT_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Looks up the aliases of active links.
pub(crate) struct Verifier {
    resolver: Option<Arc<dyn Resolver>>,
    cache: Arc<Cache>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    cluster_domain: String,
    aliases: DueLookups<LookupSchedule>,
}

impl Verifier {
    /// A verifier without results. Without a resolver it never looks up anything.
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
            aliases: DueLookups::default(),
        }
    }

    /// The last accepted result for a link, which its next decision uses.
    pub(crate) fn lookup_of(&self, key: &LinkKey, link: &InstanceLink) -> Lookup {
        if self.resolver.is_none() {
            return Lookup::Off;
        }
        let accepted = self.aliases.schedule().accepted(key, &activation_of(link));
        accepted.map_or(Lookup::Pending, Lookup::Seen)
    }

    /// A pass settled. If it changed the addresses of the alias, the alias is looked up soon.
    pub(crate) fn pass_settled(&self, key: &LinkKey, link: &InstanceLink, slices: &[Observed<Slice>]) {
        if self.resolver.is_none() {
            return;
        }
        let Some(directory) = known_directory_of(link, None).filter(|_| is_active(link)) else {
            return self.forget(key);
        };
        let programmed = programmed(slices.iter(), &directory);
        self.aliases
            .schedule()
            .note_programmed(key, &activation_of(link), fingerprint_of(programmed), Instant::now());
        self.aliases.changed();
    }

    /// The link does not exist any more, or is not active.
    pub(crate) fn forget(&self, key: &LinkKey) {
        self.aliases.schedule().forget(key);
    }

    /// Looks up aliases until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Some(resolver) = self.resolver.clone() else {
            return;
        };
        let look_up = |key: LinkKey| {
            let (this, resolver) = (Arc::clone(&self), Arc::clone(&resolver));
            async move { this.look_up(&key, resolver.as_ref()).await }
        };
        self.aliases.run("an alias", &stop, look_up).await;
    }

    async fn look_up(&self, key: &LinkKey, resolver: &dyn Resolver) {
        let question = self.cache.read(|index| Question::of(index, key, &self.cluster_domain));
        let Some(Question {
            activation,
            name,
            programmed,
        }) = question
        else {
            return self.forget(key);
        };
        let fingerprint = fingerprint_of(programmed.iter().copied());
        let at = self.clock.now();
        let answer = resolver.resolve(&name).await;
        let found = matches!(&answer, Answer::Addresses(found) if !found.is_empty());
        let api_server = if found || programmed.is_empty() {
            None
        } else {
            Some(resolver.resolve(&api_server_in(&self.cluster_domain)).await)
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
        tracing::debug!(link = %key, agrees, ?resolution, "alias looked up");
        if self.accept(key, &activation, fingerprint, agrees, resolution) {
            self.queue.add([(key, &Cause::Change)]);
        }
    }

    /// Records a result. True if the link needs a pass because its finding changes.
    fn accept(
        &self,
        key: &LinkKey,
        activation: &Activation,
        fingerprint: Fingerprint,
        agrees: bool,
        resolution: Resolution,
    ) -> bool {
        let mut schedule = self.aliases.schedule();
        if !schedule.record(key, activation, fingerprint, agrees, Instant::now()) {
            return false;
        }
        if let Some(before) = schedule.accepted(key, activation) {
            let (old, new) = (
                finding(&before, &self.cluster_domain),
                finding(&resolution, &self.cluster_domain),
            );
            // The message contains addresses, which may differ in each lookup. A status write for each would cost too much.
            let recent = resolution.at.duration_since(before.at) < MESSAGE_KEPT_FOR;
            if old == new || (recent && (old.status, old.reason) == (new.status, new.reason)) {
                return false;
            }
        }
        schedule.set_accepted(key, Arc::new(resolution));
        true
    }
}

/// What to ask for a link, and the expected answer.
struct Question {
    activation: Activation,
    name: String,
    programmed: BTreeSet<IpAddr>,
}

impl Question {
    /// None if the link is not active, or if the name of its alias is not known.
    fn of(index: &Index, key: &LinkKey, domain: &str) -> Option<Self> {
        let link = &*index.link(key)?;
        if !is_active(link) {
            return None;
        }
        let owner = (Arc::clone(&key.namespace), uid_of(link).to_owned());
        let slices = index.slices.by_link.get(&owner);
        let slices = slices.filter_map(|name| Some(index.slices.table.get(name)?.child.get(&index.recent)));
        let slices: Vec<_> = slices.collect();
        let directory = known_directory_of(link, None)?;
        Some(Self {
            activation: activation_of(link),
            name: fqdn(&link.spec.link_name, &directory, &key.namespace, domain),
            programmed: programmed(slices.iter().map(AsRef::as_ref), &directory).collect(),
        })
    }
}

fn is_active(link: &InstanceLink) -> bool {
    link.state() == State::Active && link.metadata.deletion_timestamp.is_none()
}

fn uid_of(link: &InstanceLink) -> &str {
    link.metadata.uid.as_deref().unwrap_or_default()
}

fn activation_of(link: &InstanceLink) -> Activation {
    let last = link.status.as_ref().and_then(|status| status.history.last());
    Activation {
        uid: uid_of(link).to_owned(),
        since: last.map(|entry| entry.at.0),
    }
}

/// A sum, so the order of the addresses does not matter.
fn fingerprint_of(addresses: impl Iterator<Item = IpAddr>) -> Fingerprint {
    let hash = |address: IpAddr| {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        hasher.finish()
    };
    addresses.fold(0, |sum, address| sum.wrapping_add(hash(address)))
}

#[cfg(test)]
mod tests;
