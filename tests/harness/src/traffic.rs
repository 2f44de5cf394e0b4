//! Requests by several names at the same moments. Pods send them and print the answers, and a test reads their logs also after
//! the pods have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use crate::workload::{deployment_of, pod_template};
use crate::{Namespace, eventually};

/// Label of the pods that send requests.
const LABEL: &str = "e2e/traffic";
/// How often new pods are looked for. Their logs are read from the beginning.
const PERIOD: Duration = Duration::from_millis(200);
/// Long enough for pods to start and end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The number of moments in a row by which requests are answered, or fail.
const IN_A_ROW: usize = 20;

/// What a pod got at one moment: an answer for each URL.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Moment {
    n: u64,
    at: u64,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Body(String),
    Error(String),
}

impl Answer {
    fn body(&self) -> Option<&String> {
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
type Seen = BTreeMap<(String, u64), (bool, Moment)>;

/// The requests of all pods of a namespace that send some.
pub struct Traffic {
    seen: Arc<Mutex<Seen>>,
    follower: JoinHandle<()>,
}

/// A Deployment whose pods send requests to these URLs as long as they run. It starts without pods.
pub(crate) fn sending_deployment(name: &str, urls: &[String], every: Duration) -> Value {
    deployment_of(name, 0, &sender(name, urls, every))
}

/// A pod that does the same.
pub(crate) fn sending_pod(name: &str, urls: &[String], every: Duration) -> Value {
    let mut pod = sender(name, urls, every);
    pod["metadata"]["name"] = name.into();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod
}

fn sender(name: &str, urls: &[String], every: Duration) -> Value {
    let every = every.as_millis().to_string();
    let mut arguments = vec!["compare", "--every-ms", &every];
    arguments.extend(urls.iter().flat_map(|url| ["--url", url.as_str()]));
    pod_template(&json!({ "app": name, LABEL: "sends" }), &arguments)
}

impl Namespace {
    /// Reads what all pods send, also those that are created later.
    pub(crate) fn traffic(&self) -> Traffic {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let follower = tokio::spawn(follow_all(self.api(), Arc::clone(&seen)));
        Traffic { seen, follower }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Traffic {
    /// Waits until the requests by all names are answered.
    pub async fn flows(&self) {
        self.until("all requests are answered", |answer| answer.error().is_none())
            .await;
    }

    /// Waits until the requests by all names fail.
    pub async fn stops(&self) {
        self.until("all requests fail", |answer| answer.error().is_some()).await;
    }

    /// The number of pods that have sent requests.
    pub fn senders(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let pods: BTreeSet<&String> = seen.keys().map(|(pod, _)| pod).collect();
        pods.len()
    }

    /// The number of pods that have answered.
    pub fn servers(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let answers = seen.values().flat_map(|(_, moment)| &moment.answers);
        let pods: BTreeSet<&String> = answers.filter_map(Answer::body).collect();
        pods.len()
    }

    /// What was sent since the last call.
    pub(crate) fn take(&self) -> Vec<Moment> {
        let mut seen = self.seen.lock().unwrap();
        let new = seen.values_mut().filter(|(is_taken, _)| !is_taken);
        new.map(|(is_taken, moment)| {
            *is_taken = true;
            moment.clone()
        })
        .collect()
    }

    async fn until(&self, what: &str, expected: impl Fn(&Answer) -> bool) {
        let before = self.seen.lock().unwrap().values().map(|(_, moment)| moment.at).max();
        eventually(what, PATIENCE, async || {
            let seen = self.seen.lock().unwrap();
            let new = seen.values().map(|(_, moment)| moment);
            let mut new: Vec<&Moment> = new.filter(|moment| Some(moment.at) > before).collect();
            new.sort_by_key(|moment| moment.at);
            let last = new.split_off(new.len().saturating_sub(IN_A_ROW));
            let are_all = last.iter().flat_map(|moment| &moment.answers).all(&expected);
            if last.len() == IN_A_ROW && are_all {
                Ok(())
            } else {
                Err(format!("{} moments, the last: {:?}", last.len(), last.last()))
            }
        })
        .await;
    }
}

/// Reads the log of each pod that sends requests.
async fn follow_all(pods: Api<Pod>, seen: Arc<Mutex<Seen>>) {
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
