//! Follows one kind: lists it, watches it, and tries again after a failure.

use kube::Api;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};

use futures::StreamExt;
use instancelink_api::keys;

use super::backoff::WatchBackoff;
use crate::affects::Watched;
use crate::cache::{Cache, Taken};
use crate::meter::Meter;
use crate::store::lenient::Lenient;

/// Keeps the cache of a kind up to date. Returns only if the kind may be absent and is not served.
pub(super) async fn follow<W: Watched>(
    api: Api<Lenient<W::Raw>>,
    config: watcher::Config,
    cache: &Cache,
    meter: &dyn Meter,
) {
    let take = |event| cache.observe::<W>(event);
    watch::<W>(api, config, meter, &take, &|_| false).await;
}

/// The same for a kind that operators write: begins again when lists of those kinds are asked for.
pub(super) async fn follow_again<W: Watched>(
    api: Api<Lenient<W::Raw>>,
    config: watcher::Config,
    cache: &Cache,
    meter: &dyn Meter,
) {
    let mut asked = cache.relists.asked();
    loop {
        let round = *asked.borrow_and_update();
        let take = |event| {
            let is_complete = matches!(event, Event::InitDone);
            let taken = cache.observe::<W>(event);
            if is_complete && taken == Taken::In {
                cache.relists.listed(W::KIND, round);
            }
            taken
        };
        tokio::select! {
            biased;
            Ok(()) = asked.changed() => {}
            () = watch::<W>(api.clone(), config.clone(), meter, &take, &|_| false) => return,
        }
    }
}

/// Watches a kind and passes its events on. Failures are counted and logged, unless they are expected. Returns only if the
/// kind may be absent and is not served.
pub(super) async fn watch<W: Watched>(
    api: Api<Lenient<W::Raw>>,
    config: watcher::Config,
    meter: &dyn Meter,
    take: &(impl Fn(Event<Lenient<W::Raw>>) -> Taken + Sync),
    is_expected: &(impl Fn(Option<u16>) -> bool + Sync),
) {
    // A server without streaming lists refuses the request as invalid: then the lists are read in pages.
    let paged = config.clone().page_size(W::PAGE_SIZE);
    let mut config = config.streaming_lists();
    loop {
        match run::<W>(api.clone(), config.clone(), meter, take, is_expected).await {
            Ended::NoStreaming => config = paged.clone(),
            Ended::ListAgain => {}
            Ended::NotServed | Ended::Stream => return,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Ended {
    NoStreaming,
    ListAgain,
    NotServed,
    Stream,
}

async fn run<W: Watched>(
    api: Api<Lenient<W::Raw>>,
    config: watcher::Config,
    meter: &dyn Meter,
    take: &(impl Fn(Event<Lenient<W::Raw>>) -> Taken + Sync),
    is_expected: &(impl Fn(Option<u16>) -> bool + Sync),
) -> Ended {
    let streaming = config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
    let backoff = WatchBackoff::new(W::KIND, W::LONGEST_BACKOFF);
    let mut events = std::pin::pin!(watcher(api, config).backoff(backoff));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if take(event) == Taken::ListAgain {
                    return Ended::ListAgain;
                }
            }
            Err(error) => {
                let code = code_of(&error);
                if W::MAY_BE_ABSENT && code == Some(404) {
                    return Ended::NotServed;
                }
                if is_expected(code) {
                    continue;
                }
                meter.watch_failed(W::KIND);
                if streaming && matches!(code, Some(400 | 422)) {
                    tracing::info!(
                        kind = W::KIND,
                        "the API server has no streaming lists; listing in pages"
                    );
                    return Ended::NoStreaming;
                }
                let hint = hint_for(W::KIND, code);
                tracing::warn!(
                    kind = W::KIND,
                    error = text_of(&error),
                    hint,
                    "watch failed; trying again"
                );
            }
        }
    }
    Ended::Stream
}

pub(super) fn code_of(error: &watcher::Error) -> Option<u16> {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(s))
        | WatchStartFailed(kube::Error::Api(s))
        | WatchFailed(kube::Error::Api(s)) => Some(s.code),
        WatchError(status) => Some(status.code),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => None,
    }
}

/// The error in one line: the text of kube contains a status twice, once as a Rust value.
pub(super) fn text_of(error: &watcher::Error) -> String {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(s))
        | WatchStartFailed(kube::Error::Api(s))
        | WatchFailed(kube::Error::Api(s))
        | WatchError(s) => line_of(s),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => error.to_string(),
    }
}

/// kube takes an answer that it cannot read for a status without code and message.
fn line_of(status: &kube::core::Status) -> String {
    if status.code == 0 && status.message.is_empty() {
        return "the API server sent what is neither an object nor an error".to_owned();
    }
    format!("{} {}", status.code, status.message)
}

fn hint_for(kind: &str, code: Option<u16>) -> &'static str {
    match code {
        Some(404) if kind == keys::KIND || kind == keys::GRANT_KIND => {
            "the CRD is not installed: instancelink crds | kubectl apply -f -"
        }
        Some(403) => "the operator's ClusterRole lacks list and watch on this kind: apply deploy/ again",
        _ => "",
    }
}
