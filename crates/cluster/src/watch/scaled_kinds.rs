//! The watch of one kind that the operator supports only through its scale. While the kind may not be read, the list is
//! tried again, so that a link recovers without a user once the rights exist. The scale of an object is read once, and
//! again after a change that its selector may depend on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, stream};
use instancelink_core::resolve::selector::Selector;
use instancelink_core::resolve::selector_text;
use instancelink_core::snapshot::{ApiKind, Unlisted, Unusable};
use instancelink_core::text;
use kube::api::ApiResource;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::backoff::WatchBackoff;
use super::follow::{code_of, text_of};
use super::imported::import_of;
use super::retry_intervals::RetryIntervals;
use super::scaled_object::{Object, mark_of, reduce};
use crate::backoff::LONGEST;
use crate::cache::Cache;
use crate::calls::{CallError, Calls};
use crate::index::scaled::{SCALED as KIND, SELECTOR};
use crate::meter::Meter;
use crate::name::ObjectName;
use crate::store::lenient::Lenient;
use crate::store::scale::OF_OTHERS;

/// How many scales are read at a time.
const AT_A_TIME: usize = 8;
/// The pause between two readings of scales: an object that changes all the time costs a request a second.
const BETWEEN_READS: Duration = Duration::from_secs(1);
/// How many objects a page of a list has, where the API server does not stream lists. Each may have 1.5 MB.
const PAGE_SIZE: u32 = 10;
/// How much of a selector that cannot be read is shown, in characters.
const MAX_REQUIREMENT: usize = 80;

/// Why a watch ended.
enum Ended {
    NotServed,
    Refused,
    NoStreaming,
}

/// The scales to read next.
#[derive(Default)]
struct Wanted {
    /// Those of all objects that are unread.
    all: bool,
    /// Those of these objects.
    changed: BTreeSet<ObjectName>,
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
        let mut config = watcher::Config::default().streaming_lists();
        loop {
            match self.watch(resource, &config, &mut refused_since).await {
                Ended::NoStreaming => config = watcher::Config::default().page_size(PAGE_SIZE),
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

    /// Follows the objects until the kind is not served any more, or may not be read. Scales are read meanwhile.
    async fn watch(
        &self,
        resource: &ApiResource,
        config: &watcher::Config,
        refused_since: &mut Option<Instant>,
    ) -> Ended {
        let api = Api::<Lenient<Object>>::all_with(self.client.clone(), resource);
        let backoff = WatchBackoff::new(KIND, LONGEST);
        let mut events = std::pin::pin!(watcher(api, config.clone()).backoff(backoff));
        let mut wanted = Wanted::default();
        // One reading at most.
        let mut reading = FuturesUnordered::new();
        let mut next_reading = Instant::now();
        let mut again: Option<Instant> = None;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        // `Init` may come before the API server has answered, so it proves nothing.
                        if !matches!(event, Event::Init) {
                            *refused_since = None;
                        }
                        self.take(event, &mut wanted);
                    }
                    Some(Err(error)) => {
                        let is_streamed = config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
                        match code_of(&error) {
                            Some(404) => return Ended::NotServed,
                            Some(403) => return Ended::Refused,
                            // An API server without streaming lists refuses the request as invalid.
                            Some(400 | 405 | 422) if is_streamed => return Ended::NoStreaming,
                            _ => {}
                        }
                        self.meter.watch_failed(KIND);
                        tracing::warn!(kind = %self.kind, error = text_of(&error), "watch failed; trying again");
                    }
                    None => return Ended::NotServed,
                },
                Some(retry) = reading.next(), if !reading.is_empty() => again = again.or(retry),
                () = sleep_until(next_reading), if reading.is_empty() && (wanted.all || !wanted.changed.is_empty()) => {
                    next_reading = Instant::now() + BETWEEN_READS;
                    reading.push(self.read_scales(resource, std::mem::take(&mut wanted)));
                }
                () = self.named_again.notified() => wanted.all = true,
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {
                    again = None;
                    wanted.all = true;
                }
            }
        }
    }

    /// Takes in an event, and notes whose scale may have to be read.
    fn take(&self, event: Event<Lenient<Object>>, wanted: &mut Wanted) {
        let Self { cache, kind, .. } = self;
        match event {
            Event::Init => cache.lists(kind),
            Event::InitDone => {
                cache.listed_all(kind);
                wanted.all = true;
            }
            Event::InitApply(object) => {
                let (mark, import) = (mark_of(&object.object), import_of(kind, &object.object));
                cache.shows_scaled(kind, reduce(kind, object), import, mark);
            }
            Event::Apply(object) => {
                let (name, mark) = (ObjectName::of(object.meta()), mark_of(&object.object));
                let import = import_of(kind, &object.object);
                cache.shows_scaled(kind, reduce(kind, object), import, mark);
                if !cache.unread(kind, Some(&name)).is_empty() {
                    wanted.changed.insert(name);
                }
            }
            Event::Delete(object) => cache.hides_scaled(kind, &ObjectName::of(object.meta())),
        }
    }

    /// Reads the scales of which something may have changed. Returns when to try those again that could not be read.
    async fn read_scales(&self, resource: &ApiResource, wanted: Wanted) -> Option<Instant> {
        let of_one = |name| self.cache.unread(&self.kind, Some(name));
        let unread: Vec<(ObjectName, u64)> = if wanted.all {
            self.cache.unread(&self.kind, None)
        } else {
            wanted.changed.iter().flat_map(of_one).collect()
        };
        let reads = stream::iter(unread).map(async |(name, mark)| self.read_scale(resource, &name, mark).await);
        let all_read = reads
            .buffer_unordered(AT_A_TIME)
            .fold(true, async |all, read| all && read)
            .await;
        (!all_read).then(|| Instant::now() + self.intervals.refused)
    }

    async fn read_scale(&self, resource: &ApiResource, name: &ObjectName, mark: u64) -> bool {
        match self.calls.scale_selector(resource, name).await {
            Ok(text) => {
                let selector = self.selector_in(&text, name);
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

    /// The selector of a scale. A text of which too much would be kept is not parsed.
    fn selector_in(&self, text: &str, name: &ObjectName) -> Result<Selector, Unusable> {
        if text.len() > OF_OTHERS {
            return Err(Unusable::too_large(SELECTOR, text.len(), OF_OTHERS));
        }
        Ok(selector_text::parse(text).unwrap_or_else(|requirement| {
            let requirement = text::shown(&requirement, MAX_REQUIREMENT);
            tracing::warn!(
                kind = %self.kind, %name, requirement,
                "the selector of an object's scale cannot be read, so none of its pods are taken"
            );
            Selector::nothing()
        }))
    }
}
