//! A pod that uses the cluster as an application does: it resolves names, fetches, and polls.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinHandle;

use crate::{Namespace, Object, Resolver, eventually};

/// How long a pod may take to start on a busy machine.
pub(crate) const POD_STARTS: Duration = Duration::from_secs(90);

/// A running pod that tests run commands in.
#[derive(Clone)]
pub struct Client {
    pub(crate) pods: Api<Pod>,
    pub(crate) name: String,
    pub(crate) resolver: Resolver,
}

/// One request of a poll.
#[derive(Clone, Debug, Deserialize)]
pub struct Try {
    /// Milliseconds since the epoch.
    pub at: u64,
    /// Whether it was answered.
    pub ok: bool,
    /// The answer.
    #[serde(default)]
    pub body: Option<String>,
    /// Why there is no answer.
    #[serde(default)]
    pub error: Option<String>,
}

/// A running poll.
pub struct Poll(JoinHandle<Vec<Try>>);

impl Namespace {
    /// Starts a client pod and waits until it runs.
    pub async fn client_pod(&self, name: &str) -> Client {
        self.client_pod_with(name, &json!({})).await
    }

    /// The same, with more fields in the pod's spec, such as `dnsConfig`.
    pub async fn client_pod_with(&self, name: &str, spec: &Value) -> Client {
        self.client_pod_of(Resolver::Musl, name, spec).await
    }

    /// The same, with the image of a program that has another resolver.
    pub async fn client_pod_of(&self, resolver: Resolver, name: &str, spec: &Value) -> Client {
        let mut pod = resolver.pod_template(&json!({ "app": name }));
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = name.into();
        for (key, value) in spec.as_object().into_iter().flatten() {
            pod["spec"][key] = value.clone();
        }
        self.create_object(&pod).await;
        self.client_in(resolver, name).await
    }

    /// Creates this pod and waits until it runs.
    pub async fn client_pod_from(&self, pod: &Value) -> Client {
        let Object { name, .. } = self.create_object(pod).await;
        self.client_in(Resolver::Musl, &name).await
    }

    /// Waits until an existing pod runs.
    pub async fn client_in(&self, resolver: Resolver, pod: &str) -> Client {
        let pods: Api<Pod> = self.api();
        eventually(&format!("pod {pod} runs"), POD_STARTS, async || {
            let status = pods.get(pod).await.expect("the pod").status.unwrap_or_default();
            if status.phase.as_deref() == Some("Running") {
                Ok(())
            } else {
                Err(format!("{status:?}"))
            }
        })
        .await;
        Client {
            pods,
            name: pod.to_owned(),
            resolver,
        }
    }
}

impl Client {
    /// Runs the workload binary with these arguments. Returns whether it exited with 0, and what it printed.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String) {
        self.exec(&[&["/workload"], arguments].concat()).await
    }

    /// Runs any command.
    pub async fn exec(&self, command: &[&str]) -> (bool, String) {
        let params = AttachParams::default().stdout(true).stderr(true);
        let mut process = self
            .pods
            .exec(&self.name, command.to_vec(), &params)
            .await
            .unwrap_or_else(|e| panic!("cannot run {command:?} in pod {}: {e}", self.name));
        let status = process.take_status().expect("asked for once");
        let (mut out, mut err) = (process.stdout().expect("attached"), process.stderr().expect("attached"));
        let (mut printed, mut failed) = (String::new(), String::new());
        let (read, read_err) = tokio::join!(out.read_to_string(&mut printed), err.read_to_string(&mut failed));
        read.and(read_err).expect("UTF-8");
        let ok = status.await.is_some_and(|s| s.status.as_deref() == Some("Success"));
        (ok, if ok { printed } else { printed + &failed })
    }

    /// The addresses of a name. Empty if the name does not exist, an error if the DNS gave no answer.
    pub async fn resolve(&self, name: &str) -> Result<BTreeSet<IpAddr>, String> {
        let (ok, printed) = self.exec(&self.resolver.question(name)).await;
        self.resolver.answer(ok, &printed)
    }

    /// Waits until a name resolves to exactly these addresses.
    pub async fn resolves_to(&self, name: &str, addresses: &BTreeSet<IpAddr>) {
        eventually(
            &format!("{name} resolves to {addresses:?} by {:?}", self.resolver),
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

    /// Waits until the name does not exist. For a name that is not fully qualified the resolver asks, at last, for the
    /// name alone, outside of the cluster's zone. A cluster without an upstream server cannot answer that: for such a
    /// name it is sufficient that it has no address.
    pub async fn resolves_to_nothing(&self, name: &str) {
        let complete = name.ends_with(".cluster.local");
        eventually(
            &format!("there is no name {name} by {:?}", self.resolver),
            Duration::from_secs(30),
            async || match self.resolve(name).await {
                Ok(found) if found.is_empty() => Ok(()),
                Err(said) if !complete && said.contains("Try again") => Ok(()),
                other => Err(format!("{other:?}")),
            },
        )
        .await;
    }

    /// Waits until the SRV records of a name are exactly these ports and hosts.
    pub async fn finds_ports(&self, name: &str, ports: &BTreeSet<(u16, String)>) {
        let what = format!("{name} has the ports {ports:?} by {:?}", self.resolver);
        eventually(&what, Duration::from_secs(30), async || {
            let (_, printed) = self.exec(&self.resolver.question_for_ports(name)).await;
            if &self.resolver.ports(&printed) == ports {
                Ok(())
            } else {
                Err(printed)
            }
        })
        .await;
    }

    /// Waits until a fetch returns a body that begins with this text.
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

    /// Fetches repeatedly in the background, and resolves the name each time.
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

impl Try {
    /// The first word of the answer: which server has answered.
    pub fn server(&self) -> &str {
        let body = self.body.as_deref().unwrap_or_default();
        body.split(' ').next().unwrap_or_default()
    }
}

impl Poll {
    /// Ends the poll and waits for its last request.
    pub async fn finish(self) -> Vec<Try> {
        self.0.await.expect("the poll")
    }

    /// The same. No request has failed.
    pub async fn loses_nothing(self) -> Vec<Try> {
        let tries = self.finish().await;
        let failed: Vec<_> = tries.iter().filter(|t| !t.ok).collect();
        assert!(
            failed.is_empty(),
            "{} of {} failed: {failed:#?}",
            failed.len(),
            tries.len()
        );
        tries
    }
}
