//! What pods that send requests have printed: their logs are read from the beginning, also after the pods have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt as _};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::sender::LABEL;

/// How often new pods are looked for.
const PERIOD: Duration = Duration::from_millis(200);

/// What a pod got at one moment: an answer for each URL.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Moment {
    n: u64,
    pub(crate) at: u64,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Body(String),
    Error(String),
}

impl Answer {
    pub(crate) fn body(&self) -> Option<&String> {
        match self {
            Self::Body(body) => Some(body),
            Self::Error(_) => None,
        }
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            Self::Body(_) => None,
            Self::Error(error) => Some(error),
        }
    }
}

/// By the UID of the pod and the number of the moment: whether it was taken, and the moment.
pub(crate) type Seen = BTreeMap<(String, u64), (bool, Moment)>;

/// Reads the log of each pod that sends requests.
pub(crate) async fn follow_all(pods: Api<Pod>, seen: Arc<Mutex<Seen>>) {
    let labelled = ListParams::default().labels(LABEL);
    let (mut known, mut followers) = (BTreeSet::new(), JoinSet::new());
    loop {
        for pod in pods.list(&labelled).await.into_iter().flatten() {
            let uid = pod.uid().unwrap_or_default();
            if has_started(&pod) && known.insert(uid.clone()) {
                followers.spawn(follow(pods.clone(), pod.name_any(), uid, Arc::clone(&seen)));
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn has_started(pod: &Pod) -> bool {
    let containers = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    let mut states = containers.filter_map(|container| container.state.as_ref());
    states.any(|state| state.running.is_some() || state.terminated.is_some())
}

/// Reads the log of one pod until the pod is gone. A log that breaks off is read again from the beginning.
async fn follow(pods: Api<Pod>, name: String, uid: String, seen: Arc<Mutex<Seen>>) {
    let whole = LogParams {
        follow: true,
        ..LogParams::default()
    };
    while matches!(pods.get_opt(&name).await, Err(_) | Ok(Some(_))) {
        if let Ok(log) = pods.log_stream(&name, &whole).await {
            let mut lines = log.lines();
            while let Ok(Some(line)) = lines.try_next().await {
                // The last line of a process that was killed may be a part of one.
                if let Ok(moment) = serde_json::from_str::<Moment>(&line) {
                    let key = (uid.clone(), moment.n);
                    seen.lock().unwrap().entry(key).or_insert((false, moment));
                }
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}
