//! Every version of the objects of a kind, from a given version, by consecutive watches.

use std::fmt::Debug;
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::{WatchEvent, WatchParams};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

/// The pause after a watch that could not start.
const AGAIN: Duration = Duration::from_millis(200);
/// The pause after a watch that ended. The API server ends each watch after some minutes, and all of them when it
/// stops.
const ON: Duration = Duration::from_millis(50);

/// Why versions may be missing if the watch continues.
enum Lost {
    /// The watch could not start.
    NotBegun(kube::Error),
    /// The API server no longer has this version.
    BrokenOff(String),
}

/// Continues from the last version seen, however often the API server is unavailable. `take` gets each object, and
/// whether it was deleted.
pub(crate) async fn follow<K>(api: Api<K>, params: WatchParams, mut from: String, take: impl Fn(K, bool))
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    loop {
        match watch(&api, &params, &mut from, &take).await {
            Ok(()) => sleep(ON).await,
            Err(Lost::NotBegun(_)) => sleep(AGAIN).await,
            Err(Lost::BrokenOff(why)) => panic!("the watch broke off, versions may be missing: {why}"),
        }
    }
}

/// The same, until the API server says that it cannot continue from a version.
pub async fn follow_while_known<K>(api: &Api<K>, params: &WatchParams, mut from: String, take: impl Fn(K, bool))
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    loop {
        match watch(api, params, &mut from, &take).await {
            Ok(()) => sleep(ON).await,
            // After an outage the API server often still has the versions after the last one seen.
            Err(Lost::NotBegun(error)) if !matches!(error, kube::Error::Api(_)) => sleep(AGAIN).await,
            Err(_) => return,
        }
    }
}

/// Runs one watch until it ends.
async fn watch<K>(api: &Api<K>, params: &WatchParams, from: &mut String, take: &impl Fn(K, bool)) -> Result<(), Lost>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let stream = api.watch(params, from).await.map_err(Lost::NotBegun)?;
    let mut stream = std::pin::pin!(stream);
    while let Some(Ok(event)) = stream.next().await {
        let (object, gone) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
            WatchEvent::Bookmark(mark) => {
                *from = mark.metadata.resource_version;
                continue;
            }
            WatchEvent::Error(why) => return Err(Lost::BrokenOff(format!("{why:?}"))),
        };
        if let Some(version) = &object.meta().resource_version {
            from.clone_from(version);
        }
        take(object, gone);
    }
    Ok(())
}
