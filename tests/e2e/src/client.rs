//! A pod that looks at the cluster as an application does: resolves names, fetches, polls.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinHandle;

use crate::{Namespace, Object, eventually, workload::pod_template};

/// How long a pod may take to run on a busy machine.
pub(crate) const POD_STARTS: Duration = Duration::from_secs(90);

/// A running pod in which commands are run.
#[derive(Clone)]
pub struct Client {
    pods: Api<Pod>,
    name: String,
}

/// One request of a poll.
#[derive(Clone, Debug, Deserialize)]
pub struct Try {
    /// Milliseconds since the epoch.
    pub at: u64,
    /// It was answered.
    pub ok: bool,
    /// The answer.
    #[serde(default)]
    pub body: Option<String>,
    /// Why there is none.
    #[serde(default)]
    pub error: Option<String>,
}

/// A poll under way.
pub struct Poll(JoinHandle<Vec<Try>>);

impl Namespace {
    /// Starts a client pod and waits until it runs.
    pub async fn client_pod(&self, name: &str) -> Client {
        self.client_pod_with(name, &json!({})).await
    }

    /// The same, with more in the pod's spec, such as `dnsConfig`.
    pub async fn client_pod_with(&self, name: &str, spec: &serde_json::Value) -> Client {
        let mut pod = pod_template(&json!({ "app": name }), &["sleep"]);
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = name.into();
        for (key, value) in spec.as_object().into_iter().flatten() {
            pod["spec"][key] = value.clone();
        }
        self.client_pod_from(&pod).await
    }

    /// A pod of the test's own making, once it runs.
    pub async fn client_pod_from(&self, pod: &serde_json::Value) -> Client {
        let Object { name, .. } = self.create_object(pod).await;
        let pods: Api<Pod> = self.api();
        eventually(&format!("pod {name} runs"), POD_STARTS, async || {
            let status = pods.get(&name).await.expect("the pod").status.unwrap_or_default();
            if status.phase.as_deref() == Some("Running") {
                Ok(())
            } else {
                Err(format!("{status:?}"))
            }
        })
        .await;
        Client { pods, name }
    }
}

impl Client {
    /// Runs the workload binary with these arguments: whether it exited with 0, and what it printed.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let command = [&["/workload"], arguments].concat();
        let params = AttachParams::default().stdout(true).stderr(true);
        let mut process = self
            .pods
            .exec(&self.name, command, &params)
            .await
            .unwrap_or_else(|e| panic!("cannot run {arguments:?} in pod {}: {e}", self.name));
        let status = process.take_status().expect("asked for once");
        let (mut out, mut err) = (process.stdout().expect("attached"), process.stderr().expect("attached"));
        let (mut printed, mut failed) = (String::new(), String::new());
        let (read, read_err) = tokio::join!(out.read_to_string(&mut printed), err.read_to_string(&mut failed));
        read.and(read_err).expect("UTF-8");
        let ok = status.await.is_some_and(|s| s.status.as_deref() == Some("Success"));
        (ok, if ok { printed } else { printed + &failed })
    }

    /// The addresses of a name; empty where there is no such name, an error where nobody could tell.
    async fn resolve(&self, name: &str) -> Result<BTreeSet<IpAddr>, String> {
        let (ok, printed) = self.run(&["resolve", name]).await;
        if ok {
            return Ok(printed.lines().map(|l| l.trim().parse().expect("an address")).collect());
        }
        if printed.contains("no such name") {
            Ok(BTreeSet::new())
        } else {
            Err(printed)
        }
    }

    /// Waits until a name resolves to exactly these addresses.
    pub async fn resolves_to(&self, name: &str, addresses: &BTreeSet<IpAddr>) {
        eventually(
            &format!("{name} resolves to {addresses:?}"),
            Duration::from_secs(30),
            async || {
                let found = self.resolve(name).await?;
                if &found == addresses {
                    Ok(())
                } else {
                    Err(format!("{found:?}"))
                }
            },
        )
        .await;
    }

    /// Waits until there is no such name. Of a name that is not complete the resolver at last asks for itself, outside
    /// of the cluster's zone, and a cluster without an upstream server cannot answer that: such a name must only lead
    /// nowhere.
    pub async fn resolves_to_nothing(&self, name: &str) {
        let complete = name.ends_with(".cluster.local");
        eventually(
            &format!("there is no name {name}"),
            Duration::from_secs(30),
            async || match self.resolve(name).await {
                Ok(found) if found.is_empty() => Ok(()),
                Err(said) if !complete && said.contains("Try again") => Ok(()),
                other => Err(format!("{other:?}")),
            },
        )
        .await;
    }

    /// Waits until a fetch is answered with a body that begins with this.
    pub async fn fetches(&self, url: &str, text: &str) {
        eventually(&format!("{url} answers {text}"), Duration::from_secs(30), async || {
            let (ok, printed) = self.run(&["get", url]).await;
            if ok && printed.starts_with(text) {
                Ok(())
            } else {
                Err(printed)
            }
        })
        .await;
    }

    /// Fetches again and again, resolving anew each time, while the test goes on.
    pub fn poll(&self, url: &str, every: Duration, count: u32) -> Poll {
        let (client, url) = (self.clone(), url.to_owned());
        Poll(tokio::spawn(async move {
            let (every, count) = (every.as_millis().to_string(), count.to_string());
            let (_, printed) = client
                .run(&["poll", "--url", &url, "--every-ms", &every, "--count", &count])
                .await;
            printed
                .lines()
                .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}")))
                .collect()
        }))
    }
}

impl Poll {
    /// Waits for its last request.
    pub async fn finish(self) -> Vec<Try> {
        self.0.await.expect("the poll")
    }
}
