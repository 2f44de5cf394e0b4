//! The watch of one kind that the operator supports only through its scale. While the kind may not be read, the list is
//! tried again, so that a link recovers without a user once the rights exist. The scale of an object is read once, and
//! again after a change that its selector may depend on.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use instancelink_core::resolve::selector::Selector;
use instancelink_core::resolve::selector_text;
use instancelink_core::snapshot::{ApiKind, Unlisted, Workload};
use instancelink_core::text;
use kube::api::ApiResource;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource as _};
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::backoff::WatchBackoff;
use super::follow::{code_of, text_of};
use super::retry_intervals::RetryIntervals;
use crate::backoff::LONGEST;
use crate::cache::Cache;
use crate::calls::{CallError, Calls};
use crate::index::pod_template::{PodSpec, controller_of};
use crate::index::scaled::SCALED as KIND;
use crate::meter::Meter;
use crate::name::ObjectName;
use crate::store::fields::Fields;
use crate::store::lenient::Lenient;
use crate::store::projection::Projected;
use crate::store::scale::Scale;
use crate::store::table::{Item as _, Reduced};

/// An object of any kind. Its spec and its status may have any form, so they are looked at as text.
type Object = Projected<Option<Box<RawValue>>, Option<Box<RawValue>>>;

/// How many objects inside each other may contain a selector.
const DEEPEST: usize = 16;
/// How many scales are read at a time.
const AT_A_TIME: usize = 8;
/// How much of a selector that cannot be read is shown, in characters.
const MAX_REQUIREMENT: usize = 80;

/// Why a watch ended.
enum Ended {
    NotServed,
    Refused,
}

/// The watch of one kind.
pub(super) struct Follower {
    pub(super) client: Client,
    pub(super) calls: Calls,
    pub(super) cache: Arc<Cache>,
    pub(super) meter: Arc<dyn Meter>,
    pub(super) intervals: RetryIntervals,
    pub(super) kind: ApiKind,
    /// Links name other objects of the kind.
    pub(super) named_again: Arc<Notify>,
}

impl Follower {
    /// Follows the objects of a kind. Returns when it is not served any more.
    pub(super) async fn follow(&self, resource: &ApiResource) {
        let mut refused_since = None;
        loop {
            match self.watch(resource, &mut refused_since).await {
                Ended::NotServed => {
                    sleep(self.intervals.again).await;
                    return;
                }
                Ended::Refused => {
                    let wait = self.refused(resource, *refused_since.get_or_insert_with(Instant::now));
                    sleep(wait).await;
                }
            }
        }
    }

    /// The kind may not be read. An API server that starts refuses for a moment what it allows later, so that only a
    /// refusal that lasts is an answer; the longer where something is known that would be given up. Returns when to ask
    /// again.
    fn refused(&self, resource: &ApiResource, since: Instant) -> Duration {
        let is_known = self.cache.is_listed(&self.kind);
        let lasting = self.intervals.refused / if is_known { 1 } else { 4 };
        if since.elapsed() < lasting {
            return self.intervals.refused / 8;
        }
        let plural = resource.plural.clone();
        self.cache.has_no(&self.kind, Unlisted::Forbidden { plural });
        self.intervals.absent
    }

    /// Follows the objects until the kind is not served any more, or may not be read.
    async fn watch(&self, resource: &ApiResource, refused_since: &mut Option<Instant>) -> Ended {
        let api = Api::<Lenient<Object>>::all_with(self.client.clone(), resource);
        let backoff = WatchBackoff::new(KIND, LONGEST);
        let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).backoff(backoff));
        let mut again: Option<Instant> = None;
        loop {
            let mut only = None;
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        // `Init` comes before the API server has answered, so it proves nothing.
                        if !matches!(event, Event::Init) {
                            *refused_since = None;
                        }
                        only = self.take(event);
                    }
                    Some(Err(error)) => {
                        match code_of(&error) {
                            Some(404) => return Ended::NotServed,
                            Some(403) => return Ended::Refused,
                            _ => {}
                        }
                        self.meter.watch_failed(KIND);
                        tracing::warn!(kind = %self.kind, error = text_of(&error), "watch failed; trying again");
                        continue;
                    }
                    None => return Ended::NotServed,
                },
                () = self.named_again.notified() => {}
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {}
            }
            let all_read = self.read_scales(resource, only.as_ref()).await;
            if !all_read {
                again = Some(Instant::now() + self.intervals.refused);
            } else if only.is_none() {
                again = None;
            }
        }
    }

    /// Takes in an event; the object it is about, where it is about one alone.
    fn take(&self, event: Event<Lenient<Object>>) -> Option<ObjectName> {
        let Self { cache, kind, .. } = self;
        match event {
            Event::Init => cache.lists(kind),
            Event::InitDone => cache.listed_all(kind),
            Event::InitApply(object) => {
                let mark = mark_of(&object.object);
                cache.shows_scaled(kind, reduce(kind, object), mark);
            }
            Event::Apply(object) => {
                let (name, mark) = (ObjectName::of(object.meta()), mark_of(&object.object));
                cache.shows_scaled(kind, reduce(kind, object), mark);
                return Some(name);
            }
            Event::Delete(object) => {
                let name = ObjectName::of(object.meta());
                cache.hides_scaled(kind, &name);
                return Some(name);
            }
        }
        None
    }

    /// Reads the scales of which something may have changed. True where all could be read.
    async fn read_scales(&self, resource: &ApiResource, only: Option<&ObjectName>) -> bool {
        let unread = self.cache.unread(&self.kind, only);
        let reads = stream::iter(unread).map(async |(name, mark)| self.read_scale(resource, &name, mark).await);
        reads
            .buffer_unordered(AT_A_TIME)
            .fold(true, async |all, read| all && read)
            .await
    }

    async fn read_scale(&self, resource: &ApiResource, name: &ObjectName, mark: u64) -> bool {
        match self.calls.scale_selector(resource, name).await {
            Ok(text) => {
                let selector = selector_text::parse(&text).unwrap_or_else(|requirement| {
                    let requirement = text::shown(&requirement, MAX_REQUIREMENT);
                    tracing::warn!(
                        kind = %self.kind, %name, requirement,
                        "the selector of an object's scale cannot be read, so none of its pods are taken"
                    );
                    Selector::nothing()
                });
                self.cache.reads_scale(&self.kind, name, mark, selector);
                true
            }
            Err(error) => {
                if matches!(error, CallError::Forbidden(_)) {
                    let plural = resource.plural.clone();
                    self.cache
                        .may_not_read_scale(&self.kind, name, Unlisted::Forbidden { plural });
                }
                tracing::warn!(kind = %self.kind, %name, %error, "the scale of an object cannot be read; trying again");
                false
            }
        }
    }
}

fn reduce(kind: &ApiKind, object: Lenient<Object>) -> Reduced<Workload> {
    let Lenient { object, why, .. } = object;
    let meta = object.metadata;
    let spec = object
        .spec
        .as_ref()
        .map(|spec| Fields::of(spec.get()))
        .unwrap_or_default();
    let template: PodSpec = spec.fields("template").read("spec").unwrap_or_default();
    let item = Workload {
        kind: kind.clone(),
        controller: controller_of(&meta),
        terminating: meta.deletion_timestamp.is_some(),
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        selector: Selector::nothing(),
        container_ports: template.container_ports(),
    };
    let mut scale = Scale::default();
    item.weigh(&mut scale);
    match scale.excess(item.limit()) {
        Some(too_large) => Reduced {
            item: Workload {
                container_ports: Vec::new(),
                ..item
            },
            why: Some(Box::new(too_large)),
        },
        None => Reduced { item, why },
    }
}

/// Changes with everything that the selector of the scale may come from: the spec, and each text in the status, except
/// those in lists, where conditions are. Numbers of replicas change all the time, and are no text.
fn mark_of(object: &Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.metadata.uid, object.metadata.generation).hash(&mut hasher);
    if let Some(status) = &object.status {
        hash_texts(status.get(), DEEPEST, &mut hasher);
    }
    hasher.finish()
}

fn hash_texts(value: &str, depth: usize, hasher: &mut DefaultHasher) {
    if value.starts_with('{') && depth > 0 {
        for (name, field) in Fields::of(value).iter() {
            name.hash(hasher);
            hash_texts(field, depth - 1, hasher);
        }
    } else if value.starts_with(['"', '{']) {
        value.hash(hasher);
    }
}
