//! The watch of the Gateway API's `ReferenceGrant`s, whose CRD may be missing, and may come, go or change its versions
//! while the operator runs.
//!
//! Discovery says whether they are served. Every account may ask it (`system:discovery`); to watch the CRD instead would
//! tell sooner, but take the right to read CRDs. While they are absent it is asked every ten seconds; once they are
//! watched, nothing is asked until the watch ends because they are not served any more.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};
use kube::api::ApiResource;
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio::time::sleep;

use super::index::Watched;
use super::{Cache, ReferenceGrants, watch};
use crate::calls::{CallError, Calls};
use crate::telemetry::metrics::Metrics;

const GROUP: &str = "gateway.networking.k8s.io";
const PLURAL: &str = "referencegrants";
/// The versions whose shape is known, the best first; they serve the same objects.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// How often discovery is asked.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// While they are absent. A namespace that consents waits for so long after the CRD was installed: six requests a
    /// minute are what that costs a cluster without it.
    pub(super) absent: Duration,
    /// After a watch has ended, and first after a failure; then less and less often.
    pub(super) again: Duration,
    /// How long a refusal has to last before what is known is given up; where nothing is known, a quarter of it.
    pub(super) refused: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            absent: Duration::from_secs(10),
            again: Duration::from_secs(1),
            refused: Duration::from_secs(20),
        }
    }
}

/// Watches them whenever they are served. Never returns.
pub(super) async fn watch(client: Client, calls: Calls, cache: Arc<Cache>, metrics: Arc<Metrics>, pace: Pace) {
    let mut known_absent = false;
    let mut patience = pace.again;
    loop {
        match served_version(&calls).await {
            Ok(Some(version)) => {
                tracing::info!(version, "ReferenceGrants are served");
                known_absent = false;
                patience = pace.again;
                let api = Api::all_with(client.clone(), &resource(version));
                watch::follow::<ReferenceGrants>(api, watcher::Config::default(), &cache, &metrics).await;
                // What is known stays known until discovery has answered: they may go on in another version.
                sleep(pace.again).await;
            }
            Ok(None) => {
                if !known_absent {
                    tracing::info!("ReferenceGrants are not served, so there are none");
                    cache.absent::<ReferenceGrants>();
                    known_absent = true;
                }
                patience = pace.again;
                sleep(pace.absent).await;
            }
            Err(error) => {
                metrics.watch_failed(ReferenceGrants::KIND);
                tracing::warn!(
                    %error,
                    hint = hint_for(&error),
                    "discovery does not say whether ReferenceGrants are served; trying again"
                );
                sleep(patience).await;
                patience = (patience * 2).min(pace.absent);
            }
        }
    }
}

/// The version in which they are served; none where they are not.
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
