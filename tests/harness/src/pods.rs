//! Pods of a test's workloads: their addresses, how many, and whether they are ready.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::json;

use crate::{Namespace, SHORT, client::POD_STARTS, eventually};

impl Namespace {
    /// The pods with a label `app` that are not terminating.
    pub async fn pods_of(&self, app: &str) -> Vec<Pod> {
        let labelled = ListParams::default().labels(&format!("app={app}"));
        let pods = self.api::<Pod>().list(&labelled).await.expect("pods");
        pods.into_iter()
            .filter(|p| p.metadata.deletion_timestamp.is_none())
            .collect()
    }

    /// Waits until exactly this number of them is ready, and returns their addresses: one or, in a dual-stack cluster, two of
    /// each.
    pub async fn ready_addresses(&self, app: &str, count: usize) -> BTreeSet<IpAddr> {
        eventually(&format!("{count} pods of {app} are ready"), POD_STARTS, async || {
            let pods = self.pods_of(app).await;
            let ready: Vec<BTreeSet<IpAddr>> = pods.iter().filter(|p| is_ready(p)).map(addresses_of).collect();
            if ready.len() == count && ready.iter().all(|addresses| !addresses.is_empty()) {
                Ok(ready.into_iter().flatten().collect())
            } else {
                Err(format!("{} pods, ready: {ready:?}", pods.len()))
            }
        })
        .await
    }

    /// Scales a Deployment.
    pub async fn scale(&self, deployment: &str, replicas: u32) {
        self.object("apps/v1", "Deployment", deployment)
            .patch(&json!({ "spec": { "replicas": replicas } }))
            .await;
    }

    /// Makes the readiness probe of a serving pod succeed or fail, and waits until the kubelet has noticed.
    pub async fn set_ready(&self, pod: &Pod, ready: bool) {
        let name = pod.name_any();
        let path = format!("/api/v1/namespaces/{}/pods/{name}:8080/proxy/ready/{ready}", self.name);
        let request = http::Request::post(path).body(Vec::new()).expect("a request");
        self.client
            .request_text(request)
            .await
            .unwrap_or_else(|e| panic!("cannot reach pod {name}: {e}"));
        eventually(&format!("pod {name} has ready={ready}"), SHORT, async || {
            let pod = self.api::<Pod>().get(&name).await.expect("the pod");
            if is_ready(&pod) == ready {
                Ok(())
            } else {
                Err(format!("{:?}", pod.status))
            }
        })
        .await;
    }

    /// The operator's slices of this namespace, by name.
    pub async fn slices(&self) -> Vec<EndpointSlice> {
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=instancelink");
        self.api::<EndpointSlice>().list(&ours).await.expect("slices").items
    }

    /// The ready addresses behind the aliases of a source's directory, from the slices of every author.
    pub async fn addresses_in(&self, directory: &str) -> BTreeSet<IpAddr> {
        let of_it = ListParams::default().labels(&format!("kubernetes.io/service-name={directory}"));
        let slices = self.api::<EndpointSlice>().list(&of_it).await.expect("slices");
        let ready = |e: &k8s_openapi::api::discovery::v1::Endpoint| {
            e.conditions.as_ref().is_none_or(|c| c.ready.unwrap_or(true))
        };
        slices
            .into_iter()
            .flat_map(|s| s.endpoints.unwrap_or_default())
            .filter(ready)
            .flat_map(|e| e.addresses)
            .map(|a| a.parse().expect("an address"))
            .collect()
    }

    /// Waits until exactly these addresses are behind the aliases of a source's directory.
    pub async fn has_addresses_in(&self, directory: &str, addresses: &BTreeSet<IpAddr>) {
        eventually(
            &format!("{directory} has the addresses {addresses:?}"),
            SHORT,
            async || {
                let found = self.addresses_in(directory).await;
                if &found == addresses {
                    Ok(())
                } else {
                    Err(format!("{found:?}"))
                }
            },
        )
        .await;
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions.is_some_and(|c| c.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

/// The addresses of a pod: one of each family that the cluster has.
pub fn addresses_of(pod: &Pod) -> BTreeSet<IpAddr> {
    let addresses = pod.status.iter().flat_map(|status| status.pod_ips.iter().flatten());
    addresses.filter_map(|address| address.ip.parse().ok()).collect()
}
