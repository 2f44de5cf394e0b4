//! A drain of nodes that evicts the pods of one test only. Meanwhile no pod starts on these nodes, so such a test needs the
//! cluster for itself.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;

use crate::{Namespace, eventually, kubectl};

/// Label of the pods that may be evicted. Its value is the namespace of the test.
const LABEL: &str = "e2e/drained";
const PATIENCE: Duration = Duration::from_mins(1);

/// The nodes that run the pods of a workload.
pub struct Drain {
    namespace: Namespace,
    app: String,
    nodes: Vec<String>,
    pods: BTreeSet<String>,
}

impl Namespace {
    /// A workload whose pods a [`Drain`] of this namespace evicts.
    pub fn evictable(&self, mut workload: Value) -> Value {
        workload["spec"]["template"]["metadata"]["labels"][LABEL] = self.name.as_str().into();
        workload
    }
}

impl Drain {
    /// Runs a part of a test that drains the nodes of these pods. Pods can start on the nodes afterwards, even if it fails.
    pub async fn during(namespace: &Namespace, app: &str, part: impl AsyncFnOnce(&Self)) {
        let pods = namespace.pods_of(app).await;
        let nodes = pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone());
        let nodes: BTreeSet<String> = nodes.collect();
        let drain = Self {
            namespace: namespace.clone(),
            app: app.to_owned(),
            nodes: nodes.into_iter().collect(),
            pods: pods.iter().filter_map(kube::ResourceExt::uid).collect(),
        };
        let outcome = AssertUnwindSafe(part(&drain)).catch_unwind().await;
        drain.uncordons().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    /// `kubectl drain`: returns when the pods have ended.
    pub async fn evicts(&self) {
        let selector = format!("--pod-selector={LABEL}={}", self.namespace.name);
        let mut arguments = vec!["drain", &selector, "--timeout=90s"];
        arguments.extend(self.nodes.iter().map(String::as_str));
        kubectl(&arguments).await.succeeds();
    }

    /// Waits until the first pod was evicted.
    pub async fn has_begun(&self) {
        eventually("a pod was evicted", PATIENCE, async || {
            let left = self.namespace.pods_of(&self.app).await;
            let left: BTreeSet<String> = left.iter().filter_map(kube::ResourceExt::uid).collect();
            if self.pods.is_subset(&left) {
                Err(format!("{} pods", left.len()))
            } else {
                Ok(())
            }
        })
        .await;
    }

    /// `kubectl uncordon`: pods can start on the nodes again.
    pub async fn uncordons(&self) {
        let mut arguments = vec!["uncordon"];
        arguments.extend(self.nodes.iter().map(String::as_str));
        kubectl(&arguments).await.succeeds();
    }
}
