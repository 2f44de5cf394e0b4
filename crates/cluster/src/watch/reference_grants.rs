//! The watch of the Gateway API's `ReferenceGrant`s. Their CRD may be missing. It may be installed, removed or changed
//! to other versions while the operator runs.
//!
//! Discovery shows whether they are served. Every account may read it (`system:discovery`). A watch of the CRD would be
//! faster, but needs the right to read CRDs. While they are absent, the operator reads discovery every ten seconds.
//! While they are watched, it does not read discovery until the watch ends because they are no longer served.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};
use kube::api::ApiResource;
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio::time::sleep;

use super::follow::follow;
use super::retry_intervals::RetryIntervals;
use crate::affects::{ReferenceGrants, Watched as _};
use crate::cache::Cache;
use crate::calls::{CallError, Calls};
use crate::meter::Meter;

const GROUP: &str = "gateway.networking.k8s.io";
const PLURAL: &str = "referencegrants";
/// The versions whose schema is known, the preferred one first; all serve the same objects.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// Watches them whenever they are served. Never returns.
pub(super) async fn watch(
    client: Client,
    calls: Calls,
    cache: Arc<Cache>,
    meter: Arc<dyn Meter>,
    intervals: RetryIntervals,
) {
    let mut known_absent = false;
    let mut pause = intervals.again;
    loop {
        match served_version(&calls).await {
            Ok(Some(version)) => {
                tracing::info!(version, "ReferenceGrants are served");
                known_absent = false;
                pause = intervals.again;
                let api = Api::all_with(client.clone(), &resource(version));
                follow::<ReferenceGrants>(api, watcher::Config::default(), &cache, &*meter).await;
                // The cache keeps the grants until discovery has answered: they may be served in another version.
                sleep(intervals.again).await;
            }
            Ok(None) => {
                if !known_absent {
                    tracing::info!("ReferenceGrants are not served, so there are none");
                    cache.absent::<ReferenceGrants>();
                    known_absent = true;
                }
                pause = intervals.again;
                sleep(intervals.absent).await;
            }
            Err(error) => {
                meter.watch_failed(ReferenceGrants::KIND);
                tracing::warn!(
                    %error,
                    hint = hint_for(&error),
                    "discovery does not say whether ReferenceGrants are served; trying again"
                );
                sleep(pause).await;
                pause = (pause * 2).min(intervals.absent);
            }
        }
    }
}

/// The version in which they are served; none if they are not.
async fn served_version(calls: &Calls) -> Result<Option<&'static str>, CallError> {
    let Some(group) = found(calls.discover::<APIGroup>(GROUP).await)? else {
        return Ok(None);
    };
    for version in VERSIONS {
        if group.versions.iter().any(|v| v.version == version) {
            let list = calls.discover::<APIResourceList>(&format!("{GROUP}/{version}")).await;
            if found(list)?.is_some_and(|list| list.resources.iter().any(|r| r.name == PLURAL)) {
                return Ok(Some(version));
            }
        }
    }
    Ok(None)
}

fn found<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn resource(version: &str) -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: version.to_owned(),
        api_version: format!("{GROUP}/{version}"),
        kind: ReferenceGrants::KIND.to_owned(),
        plural: PLURAL.to_owned(),
    }
}

fn hint_for(error: &CallError) -> &'static str {
    match error {
        CallError::Forbidden(_) => {
            "the operator's account may not read /apis: bind the ClusterRole system:discovery to it, as clusters do by default"
        }
        _ => "",
    }
}
