//! The pods of the operator: which one leads, and how to kill, stop and start them.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::{Namespace, SYSTEM, eventually, workload::pod_template};

const DEPLOYMENT: &str = "instancelink";
const LABEL: &str = "app.kubernetes.io/name=instancelink,app.kubernetes.io/component=operator";
const STARTS: Duration = Duration::from_secs(90);

/// The operator's Deployment.
pub struct Operator {
    pods: Api<Pod>,
    leases: Api<Lease>,
    deployments: Api<Deployment>,
}

impl Operator {
    /// The operator that is installed in the cluster.
    pub fn of(client: &Client) -> Self {
        Self {
            pods: Api::namespaced(client.clone(), SYSTEM),
            leases: Api::namespaced(client.clone(), SYSTEM),
            deployments: Api::namespaced(client.clone(), SYSTEM),
        }
    }

    /// The pods that are not terminating.
    pub async fn pods(&self) -> Vec<Pod> {
        let pods = self
            .pods
            .list(&ListParams::default().labels(LABEL))
            .await
            .expect("the operator's pods");
        pods.into_iter()
            .filter(|p| p.metadata.deletion_timestamp.is_none())
            .collect()
    }

    /// The holder of the lease: the name of a pod, and what distinguishes its processes.
    pub async fn holder(&self) -> Option<String> {
        let leases = self.leases.list(&ListParams::default()).await.expect("leases");
        leases
            .into_iter()
            .filter_map(|l| l.spec?.holder_identity)
            .find(|h| !h.is_empty())
    }

    /// Waits until one of the pods leads.
    pub async fn leader(&self) -> Pod {
        eventually("one of the operator's pods leads", STARTS, async || {
            let (holder, pods) = (self.holder().await, self.pods().await);
            let leads = |p: &&Pod| holder.as_ref().is_some_and(|h| h.starts_with(&p.name_any()));
            pods.iter()
                .find(leads)
                .cloned()
                .ok_or_else(|| format!("holder {holder:?} of {} pods", pods.len()))
        })
        .await
    }

    /// Waits until the lease has a holder other than this one.
    pub async fn other_leader_than(&self, holder: &str, limit: Duration) -> String {
        eventually("another process leads", limit, async || match self.holder().await {
            Some(now) if now != holder => Ok(now),
            now => Err(format!("{now:?}")),
        })
        .await
    }

    /// Kills the operator's process in these pods with SIGKILL, from a pod of the test's namespace.
    pub async fn kill(&self, namespace: &Namespace, pods: &[Pod]) {
        futures::future::join_all(pods.iter().map(|pod| kill(namespace, pod))).await;
    }

    /// Kills every one of its processes, and waits until a new one leads.
    pub async fn kill_all(&self, namespace: &Namespace) {
        let holder = self.holder().await.expect("an operator leads");
        self.kill(namespace, &self.pods().await).await;
        self.other_leader_than(&holder, STARTS).await;
    }

    /// Deletes a pod, as a rolling update does.
    pub async fn stop(&self, pod: &Pod) {
        self.pods
            .delete(&pod.name_any(), &DeleteParams::default())
            .await
            .expect("the pod");
    }

    /// Changes the number of replicas and waits until they are ready or gone.
    pub async fn scale(&self, replicas: i32) {
        let patch = json!({ "spec": { "replicas": replicas } });
        self.deployments
            .patch(DEPLOYMENT, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .expect("the operator's Deployment");
        self.is_ready().await;
    }

    /// Sets an environment variable of its container, or removes it, and waits until the new pods are ready.
    pub async fn set_env(&self, name: &str, value: Option<&str>) {
        let entry = match value {
            Some(value) => json!({ "name": name, "value": value }),
            None => json!({ "name": name, "$patch": "delete" }),
        };
        let container = json!({ "name": "operator", "env": [entry] });
        let patch = json!({ "spec": { "template": { "spec": { "containers": [container] } } } });
        self.deployments
            .patch(DEPLOYMENT, &PatchParams::default(), &Patch::Strategic(&patch))
            .await
            .expect("the operator's Deployment");
        self.is_ready().await;
    }

    /// Waits until every replica is ready, and one leads.
    pub async fn is_ready(&self) {
        eventually("the operator is ready", STARTS, async || {
            let found = self.deployments.get(DEPLOYMENT).await.map_err(|e| e.to_string())?;
            let wanted = found.spec.replicas.unwrap_or(1);
            let status = found.status.unwrap_or_default();
            let ready = status.ready_replicas.unwrap_or(0);
            let current = status.observed_generation == found.metadata.generation;
            let pods = self
                .pods
                .list(&ListParams::default().labels(LABEL))
                .await
                .map_err(|e| e.to_string())?;
            let pods = pods.items.len();
            if current && ready == wanted && i32::try_from(pods) == Ok(wanted) {
                Ok(wanted)
            } else {
                Err(format!("{ready} of {wanted} replicas ready, {pods} pods"))
            }
        })
        .await;
        if !self.pods().await.is_empty() {
            self.leader().await;
        }
    }
}

async fn kill(namespace: &Namespace, victim: &Pod) {
    let uid = victim.metadata.uid.as_deref().expect("objects have a UID");
    let mut killer = pod_template(&json!({}), &["kill", "--pod-uid", uid, "--name", "instancelink"]);
    killer["apiVersion"] = "v1".into();
    killer["kind"] = "Pod".into();
    killer["metadata"]["generateName"] = "killer-".into();
    killer["spec"]["hostPID"] = true.into();
    killer["spec"]["restartPolicy"] = "Never".into();
    killer["spec"]["nodeName"] = victim.spec.as_ref().and_then(|s| s.node_name.clone()).into();
    killer["spec"]["containers"][0]["securityContext"] = json!({ "runAsUser": 0 });
    let pods: Api<Pod> = namespace.api();
    let killer: Pod = serde_json::from_value::<Value>(killer)
        .and_then(serde_json::from_value)
        .expect("a pod");
    let killer = pods
        .create(&kube::api::PostParams::default(), &killer)
        .await
        .expect("a pod that may kill");
    eventually("the operator's process was killed", STARTS, async || {
        let status = pods
            .get(&killer.name_any())
            .await
            .expect("the pod")
            .status
            .unwrap_or_default();
        match status.phase.as_deref() {
            Some("Succeeded") => Ok(()),
            Some("Failed") => panic!("there was nothing to kill: {status:?}"),
            _ => Err(format!("{status:?}")),
        }
    })
    .await;
}
