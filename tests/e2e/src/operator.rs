//! The operator's own pods: which one leads, and how they are killed.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use crate::{SYSTEM, eventually};

const DEPLOYMENT: &str = "instancelink";
const LABEL: &str = "app.kubernetes.io/name=instancelink";
const STARTS: Duration = Duration::from_secs(90);

/// The operator's Deployment.
pub struct Operator {
    pods: Api<Pod>,
    leases: Api<Lease>,
    deployments: Api<Deployment>,
}

impl Operator {
    /// The one installed in the cluster.
    pub fn of(client: &Client) -> Self {
        Self {
            pods: Api::namespaced(client.clone(), SYSTEM),
            leases: Api::namespaced(client.clone(), SYSTEM),
            deployments: Api::namespaced(client.clone(), SYSTEM),
        }
    }

    /// Names of the pods that are there and not ending.
    pub async fn pods(&self) -> Vec<String> {
        let pods = self
            .pods
            .list(&ListParams::default().labels(LABEL))
            .await
            .expect("the operator's pods");
        pods.into_iter()
            .filter(|p| p.metadata.deletion_timestamp.is_none())
            .map(|p| p.name_any())
            .collect()
    }

    /// Who holds the lease now.
    pub async fn holder(&self) -> Option<String> {
        let leases = self.leases.list(&ListParams::default()).await.expect("leases");
        leases
            .into_iter()
            .filter_map(|l| l.spec?.holder_identity)
            .find(|h| !h.is_empty())
    }

    /// Waits until one of the pods leads, and returns its name.
    pub async fn leader(&self) -> String {
        eventually("one of the operator's pods leads", STARTS, async || {
            let (holder, pods) = (self.holder().await, self.pods().await);
            let leads = |p: &&String| holder.as_ref().is_some_and(|h| h.starts_with(p.as_str()));
            pods.iter()
                .find(leads)
                .cloned()
                .ok_or_else(|| format!("holder {holder:?}, pods {pods:?}"))
        })
        .await
    }

    /// Kills one pod at once, without a chance to finish or to release its lease.
    pub async fn kill(&self, pod: &str) {
        let now = DeleteParams::default().grace_period(0);
        self.pods
            .delete(pod, &now)
            .await
            .unwrap_or_else(|e| panic!("cannot kill {pod}: {e}"));
    }

    /// Kills every pod at once, and waits until another one leads.
    pub async fn kill_all(&self) {
        let old = self.pods().await;
        for pod in &old {
            self.kill(pod).await;
        }
        eventually("a new pod of the operator leads", STARTS, async || {
            let leader = self.leader().await;
            if old.contains(&leader) {
                Err(format!("{leader} still leads"))
            } else {
                Ok(())
            }
        })
        .await;
    }

    /// Changes the number of replicas and waits until they are ready.
    pub async fn scale(&self, replicas: i32) {
        let patch = json!({ "spec": { "replicas": replicas } });
        self.deployments
            .patch(DEPLOYMENT, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .expect("the operator's Deployment");
        self.is_ready().await;
    }

    /// Waits until every replica is ready.
    pub async fn is_ready(&self) {
        eventually("the operator is ready", STARTS, async || {
            let found = self.deployments.get(DEPLOYMENT).await.map_err(|e| e.to_string())?;
            let wanted = found.spec.replicas.unwrap_or(1);
            let status = found.status.unwrap_or_default();
            let ready = status.ready_replicas.unwrap_or(0);
            let current = status.observed_generation == found.metadata.generation;
            let pods = self.pods().await.len();
            if current && ready == wanted && pods == usize::try_from(wanted).unwrap_or(0) {
                Ok(())
            } else {
                Err(format!("{ready} of {wanted} replicas ready, {pods} pods"))
            }
        })
        .await;
    }
}
