//! Sweeps children whose links are gone without us: at the start, after a kind was listed anew, after a link's deletion,
//! and after a child came whose link nobody knows. Core asks the questions and gives the sentences; here they are put to the API server and executed.
//!
//! What a sweep writes is not recorded in the caches: the watch brings it, and wakes the links it is about.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use instancelink_api::InstanceLink;
use instancelink_core::child::{DesiredChild, Key, Kind, ObservedChild};
use instancelink_core::effect::Effect;
use instancelink_core::sweep::{KnownLinks, LiveAnswer, LiveCheck, live_check, verdict};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use parking_lot::Mutex;
use serde::de::IgnoredAny;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use crate::leader::lease::Leadership;
use crate::telemetry::metrics::Metrics;
use instancelink_cluster::index::mentions::instance_of;
use instancelink_cluster::{Cache, CallError, Calls, GoneLink, Index, ObjectName, SourceKey};

/// Several deletions at once are one sweep.
const GATHER: Duration = Duration::from_millis(200);
const RETRY: Duration = Duration::from_secs(5);
/// After a deletion everything is looked at too, but not once a deletion: a thousand of them are one look.
const SOON: Duration = Duration::from_secs(2);
/// More deletions than this waiting: looking at everything is cheaper than remembering each.
const MANY: usize = 1000;

/// What is to be looked at.
#[derive(Debug, Default)]
struct Due {
    everything: bool,
    /// Everything, in a while: what is new to one cache may be about to be known to another.
    soon: bool,
    gone: Vec<GoneLink>,
}

/// Where the caches leave what may have to be swept.
#[derive(Debug, Default)]
pub(crate) struct Broom {
    due: Mutex<Due>,
    changed: Notify,
    /// A look at everything is on its way.
    planned: AtomicBool,
}

impl Broom {
    /// Look at every child.
    pub(crate) fn everything(&self) {
        let mut due = self.due.lock();
        (due.everything, due.soon) = (true, false);
        drop(due);
        self.changed.notify_one();
    }

    /// Look at every child in a while.
    pub(crate) fn soon(&self) {
        self.due.lock().soon = true;
        self.changed.notify_one();
    }

    /// Look at what these links may have left.
    pub(crate) fn after(&self, gone: Vec<GoneLink>) {
        if gone.is_empty() {
            return;
        }
        let mut due = self.due.lock();
        due.gone.extend(gone);
        if due.gone.len() > MANY {
            *due = Due {
                everything: true,
                ..Due::default()
            };
        }
        drop(due);
        self.changed.notify_one();
    }
}

/// Looks for children whose links are gone.
pub(crate) struct Sweeper {
    pub(crate) broom: Arc<Broom>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) calls: Calls,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Arc<Metrics>,
}

impl Sweeper {
    /// Sweeps until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        self.broom.everything();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.broom.changed.notified() => {}
            }
            tokio::time::sleep(GATHER).await;
            let due = std::mem::take(&mut *self.broom.due.lock());
            if due.soon || !due.gone.is_empty() {
                self.everything_after(SOON, &stop);
            }
            for key in self.cache.read(|index| suspects(index, &due)) {
                if stop.is_cancelled() || !self.leadership.holds() {
                    return;
                }
                if let Err(error) = self.judge(&key).await {
                    tracing::warn!(child = %key, %error, "a child of a link that may be gone was not swept; trying again");
                    self.everything_after(RETRY, &stop);
                }
            }
        }
    }

    /// Plans a look at everything: a failure must not be forgotten, nor repeated without a pause, and a deletion is a
    /// reason to look for what other links may have left.
    fn everything_after(&self, pause: Duration, stop: &CancellationToken) {
        if self.broom.planned.swap(true, Ordering::Relaxed) {
            return;
        }
        let (broom, stop) = (Arc::clone(&self.broom), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            broom.planned.store(false, Ordering::Relaxed);
            if !stop.is_cancelled() {
                broom.everything();
            }
        });
    }

    /// From the question to the write no pass over a link of the child's source runs.
    async fn judge(&self, key: &Key) -> Result<(), CallError> {
        let _held = match self.cache.read(|index| source_of(index, key)) {
            Some(source) => Some(self.queue.hold(source).await),
            None => None,
        };
        let asked = self.cache.read(|index| {
            let child = standing(index, key)?;
            let question = live_check(&child, &known_about(index, key))?;
            Some((child, question))
        });
        let Some((child, question)) = asked else { return Ok(()) };
        let verdict = match &question {
            LiveCheck::Link { namespace, name, .. } => {
                let link = ObjectName::new(namespace, name);
                let found = match self
                    .calls
                    .get::<InstanceLink>(instancelink_api::keys::KIND, &link)
                    .await
                {
                    Ok(link) => link.metadata.uid,
                    Err(CallError::NotFound(_)) => None,
                    Err(error) => return Err(error),
                };
                verdict(&child, LiveAnswer::Link(found.as_deref()))
            }
            LiveCheck::Links { namespace } => {
                let links = self
                    .calls
                    .list::<InstanceLink>(instancelink_api::keys::KIND, namespace)
                    .await?;
                verdict(&child, LiveAnswer::Links(&links))
            }
        };
        match verdict {
            Some(effect) => self.execute(effect).await,
            None => Ok(()),
        }
    }

    async fn execute(&self, effect: Effect) -> Result<(), CallError> {
        let (key, done) = match effect {
            Effect::Delete {
                key,
                uid,
                resource_version,
            } => {
                let done = self.delete(&key, &uid, &resource_version).await;
                (key, done)
            }
            Effect::Replace {
                child,
                uid,
                resource_version,
            } => {
                let done = self.replace(&child, (&uid, &resource_version)).await;
                (child.key(), done)
            }
            other => {
                tracing::error!(effect = ?other, "a sweep may delete and replace children, nothing else; this is a bug");
                return Ok(());
            }
        };
        match done {
            Ok(()) => {
                self.metrics.swept(key.kind.as_str());
                tracing::info!(child = %key, "swept what a link that is gone had left");
                Ok(())
            }
            // It changed, or went: it is judged again when the watch brings that, or at the next sweep.
            Err(CallError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &Key, uid: &str, version: &str) -> Result<(), CallError> {
        let name = ObjectName::new(&key.namespace, &key.name);
        let kind = key.kind.as_str();
        match key.kind {
            Kind::Directory | Kind::VirtualIp => {
                self.calls.delete::<Service>(kind, &name, uid, version).await.map(drop)
            }
            Kind::Slice => self
                .calls
                .delete::<EndpointSlice>(kind, &name, uid, version)
                .await
                .map(drop),
            Kind::Policy => self
                .calls
                .delete::<NetworkPolicy>(kind, &name, uid, version)
                .await
                .map(drop),
            Kind::Environment => self
                .calls
                .delete::<ConfigMap>(kind, &name, uid, version)
                .await
                .map(drop),
            Kind::Binding => self.calls.delete::<Secret>(kind, &name, uid, version).await.map(drop),
        }
    }

    async fn replace(&self, child: &DesiredChild, replaces: (&str, &str)) -> Result<(), CallError> {
        let key = child.key();
        let name = ObjectName::new(&key.namespace, &key.name);
        let (calls, kind) = (&self.calls, key.kind.as_str());
        let answer: Result<IgnoredAny, _> = match child {
            DesiredChild::Directory(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
            DesiredChild::Policy(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
            DesiredChild::VirtualIp(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
            DesiredChild::Slice(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
            DesiredChild::Environment(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
            DesiredChild::Binding(o) => calls.replace(kind, &name, &o.to_api(Some(replaces))).await,
        };
        answer.map(drop)
    }
}

/// The children to be looked at. Whether a question has to be asked about one is decided when its turn comes.
fn suspects(index: &Index, due: &Due) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let mut add = |kind: Kind, name: &ObjectName| {
        keys.insert(Key {
            kind,
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
        });
    };
    for gone in &due.gone {
        let (namespace, instance) = &gone.source;
        let words = [instance.clone(), gone.uid.clone(), format!("link/{}", gone.name.name)];
        index
            .slices
            .by_link
            .get(gone.uid.as_str())
            .for_each(|name| add(Kind::Slice, name));
        let policies = index.policies.by_link.get(gone.uid.as_str());
        policies.for_each(|name| add(Kind::Policy, name));
        for mention in words.map(|word| (Arc::clone(namespace), word)) {
            for name in index.services.children.get(&mention) {
                if let Some(child) = index.services.child(name) {
                    add(child.key().kind, name);
                }
            }
            index
                .environments
                .by_mention
                .get(&mention)
                .for_each(|name| add(Kind::Environment, name));
            index
                .secrets
                .by_mention
                .get(&mention)
                .for_each(|name| add(Kind::Binding, name));
        }
    }
    if due.everything {
        let known: KnownLinks = index.links.table.iter().map(|(_, link)| link.peek()).collect();
        let asks = |child: &ObservedChild| live_check(child, &known).is_some();
        for (name, slice) in index.slices.table.iter() {
            if asks(&ObservedChild::Slice((*slice.child.peek()).clone())) {
                add(Kind::Slice, name);
            }
        }
        for (name, policy) in index.policies.table.iter() {
            if policy
                .child()
                .is_some_and(|found| asks(&ObservedChild::Policy(found.clone())))
            {
                add(Kind::Policy, name);
            }
        }
        for (name, service) in index.services.table.iter() {
            if let Some(child) = service.child.as_ref().filter(|child| asks(child)) {
                add(child.key().kind, name);
            }
        }
        for (name, secret) in index.secrets.iter() {
            if asks(&ObservedChild::Binding((**secret).clone())) {
                add(Kind::Binding, name);
            }
        }
        for (name, environment) in index.environments.table.iter() {
            if asks(&ObservedChild::Environment((*environment.peek()).clone())) {
                add(Kind::Environment, name);
            }
        }
    }
    keys
}

fn standing(index: &Index, key: &Key) -> Option<ObservedChild> {
    let name = ObjectName::new(&key.namespace, &key.name);
    match key.kind {
        Kind::Slice => index
            .slices
            .table
            .get(&name)
            .map(|s| ObservedChild::Slice((*s.child.get(&index.recent)).clone())),
        Kind::Directory | Kind::VirtualIp => index.services.child(&name).cloned(),
        Kind::Policy => index.policies.child(&name).cloned().map(ObservedChild::Policy),
        Kind::Binding => index.secrets.get(&name).map(|s| ObservedChild::Binding((**s).clone())),
        Kind::Environment => index
            .environments
            .table
            .get(&name)
            .map(|e| ObservedChild::Environment((*e.get(&index.recent)).clone())),
    }
}

/// The links of the child's namespace: all that a child there can speak of, but for a policy, which has its link alone.
fn known_about(index: &Index, key: &Key) -> KnownLinks {
    if key.kind == Kind::Policy {
        let name = ObjectName::new(&key.namespace, &key.name);
        let policy = index.policies.child(&name);
        let uid = policy.and_then(|found| found.label(instancelink_api::keys::LINK_UID));
        let link = uid.and_then(|uid| index.links.table.get(index.links.by_uid.get(uid)?));
        return link.map(|link| link.peek()).into_iter().collect();
    }
    let first = (key.namespace.as_str().into(), String::new());
    index
        .links
        .by_source
        .from(first)
        .take_while(|((namespace, _), _)| **namespace == *key.namespace)
        .flat_map(|(_, links)| links)
        .filter_map(|name| index.links.table.get(name))
        .map(|link| link.peek())
        .collect()
}

/// The source whose links share a child.
fn source_of(index: &Index, key: &Key) -> Option<SourceKey> {
    let instance = match standing(index, key)? {
        ObservedChild::Slice(_)
        | ObservedChild::VirtualIp(_)
        | ObservedChild::Policy(_)
        | ObservedChild::Binding(_) => return None,
        ObservedChild::Directory(found) => found.object.owners.first().map(|o| o.name.clone()),
        ObservedChild::Environment(found) => found.object.owners.first().map(|o| o.name.clone()),
    };
    let instance = instance.or_else(|| instance_of(&key.name).map(str::to_owned))?;
    Some((key.namespace.as_str().into(), instance))
}
