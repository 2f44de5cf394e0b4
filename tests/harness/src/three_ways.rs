//! Links of one source to one target, one for each addressing, beside ordinary Services of the same pods. The same client sends
//! requests by all names at the same moments, and a test compares what is lost.

use std::time::Duration;

use instancelink_api::State;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::sender::{sending_deployment, sending_pod};
use crate::traffic::Traffic;
use crate::{Link, LinkManifest, Namespace, eventually, link, slow_to_end};

/// Twenty a second.
const EVERY: Duration = Duration::from_millis(50);
/// The same, of three pods of a source together.
const EVERY_OF_THREE: Duration = Duration::from_millis(150);
/// How long a pod serves after it has left the endpoints: longer than kube-proxy and the DNS need, as well-made pods do.
const LINGERS: u32 = 4;
const PODS_START: Duration = Duration::from_secs(90);

/// The names, in the order of the requests.
const NAMES: [&str; 5] = [
    "pods.web-links",
    "pg-pods",
    "service.web-links",
    "pg",
    "virtual.web-links",
];
/// The addressing of a link, and which of the names are the link's and that of the ordinary Service.
pub(crate) const COMPARED: [(&str, usize, usize); 3] = [("PodIP", 0, 1), ("ServiceIP", 2, 3), ("VirtualIP", 4, 3)];

/// A workload whose pods serve for some seconds after they were asked to end, and are all replaced at once by an update, after
/// the new ones are ready.
pub fn ends_well(mut workload: Value) -> Value {
    workload["spec"]["strategy"] = json!({ "rollingUpdate": { "maxSurge": "100%", "maxUnavailable": 0 } });
    slow_to_end(workload, LINGERS)
}

impl Namespace {
    /// A source `web` whose pods send requests by all names. Three of them send twenty a second together. It starts without
    /// pods.
    pub fn sending_source(&self) -> Value {
        ends_well(sending_deployment("web", &self.urls(), EVERY_OF_THREE))
    }

    /// Creates the source `web`, the target `pg` with its ordinary Services, and a link for each addressing. Returns the
    /// requests of a client pod and of the source's pods, when all of the client's are answered.
    pub async fn linked_three_ways(&self, source: &Value, target: &Value) -> (Vec<Link>, Traffic) {
        for (name, cluster_ip) in [("pg", Value::Null), ("pg-pods", "None".into())] {
            self.create_object(&json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
                "spec": {
                    "clusterIP": cluster_ip, "ipFamilyPolicy": "PreferDualStack",
                    "selector": { "app": "pg" }, "ports": [{ "port": 8080 }],
                },
            }))
            .await;
        }
        self.create_object(source).await;
        self.create_object(target).await;
        let by = |alias: &str, target: &str, addressing: &str| -> LinkManifest {
            link(alias, alias, "Deployment/web", target)
                .spec("addressing", addressing)
                .spec("activation", json!({ "targetWaitSeconds": 120 }))
        };
        let manifests = [
            by("pods", "Deployment/pg", "PodIP"),
            by("service", "Service/pg", "ServiceIP"),
            by("virtual", "Deployment/pg", "VirtualIP").spec("ports", json!([{ "name": "http", "port": 8080 }])),
        ];
        let mut links = Vec::new();
        for manifest in manifests {
            links.push(self.link(manifest).await);
        }
        for link in &links {
            link.reaches_within(State::Active, PODS_START).await;
        }
        self.create_object(&sending_pod("client", &self.urls(), EVERY)).await;
        let traffic = self.traffic();
        traffic.flows().await;
        traffic.take();
        (links, traffic)
    }

    /// Complete names: each is one question to the DNS for each family.
    fn urls(&self) -> Vec<String> {
        let url = |name| format!("http://{name}.{}.svc.cluster.local.:8080/", self.name);
        NAMES.map(url).into()
    }

    /// Waits until the last change of a Deployment is rolled out.
    pub async fn is_rolled_out(&self, deployment: &str) {
        let deployment = format!("deployment/{deployment}");
        self.kubectl(&["rollout", "status", &deployment, "--timeout=90s"])
            .await
            .succeeds();
    }

    /// Waits until exactly this number of pods with a label `app` exists, and none is terminating.
    pub async fn has_pods(&self, app: &str, count: usize) {
        let all = ListParams::default().labels(&format!("app={app}"));
        eventually(&format!("{app} has {count} pods"), PODS_START, async || {
            let pods = self.api::<Pod>().list(&all).await;
            let pods = pods.map_err(|e| e.to_string())?.items;
            let is_ending = pods.iter().any(|pod| pod.metadata.deletion_timestamp.is_some());
            if pods.len() == count && !is_ending {
                Ok(())
            } else {
                Err(format!("{} pods, one is ending: {is_ending}", pods.len()))
            }
        })
        .await;
    }
}
