//! The objects that links connect: in each namespace a hundred sources without pods, and ten Services with one ready
//! pod each.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use control_plane::ControlPlane;
use futures::{StreamExt as _, stream};
use harness::{Namespace, eventually, idle_deployment, link};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::moments::Moments;

/// The maximum of links in a namespace.
pub const LINKS_IN_NAMESPACE: usize = 1000;
/// Links of a source.
pub const LINKS_OF_SOURCE: usize = 10;
const TARGETS: usize = 10;
/// If no link becomes active for this time, none will.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Concurrent requests of the harness.
pub const AT_ONCE: usize = 32;

/// The objects for a number of links.
pub struct World {
    /// The number of links.
    pub links: usize,
    namespaces: Vec<Arc<Namespace>>,
}

/// A link, by its number, which determines its source and target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number(pub usize);

impl Number {
    /// The name of its namespace.
    pub fn namespace(self) -> String {
        format!("town-{:02}", self.0 / LINKS_IN_NAMESPACE)
    }

    /// Its own name.
    pub fn name(self) -> String {
        format!("link-{:05}", self.0)
    }

    /// The link with this name.
    pub fn of(name: &str) -> Option<Self> {
        Some(Self(name.strip_prefix("link-")?.parse().ok()?))
    }

    /// Its source's name.
    pub fn source(self) -> String {
        format!("source-{:04}", self.0 / LINKS_OF_SOURCE)
    }

    /// Its alias.
    pub fn alias(self) -> String {
        format!("alias-{}", self.0 % LINKS_OF_SOURCE)
    }

    /// Its target Service.
    pub fn target(self) -> String {
        format!("db-{}", self.0 % TARGETS)
    }

    /// Its manifest.
    pub fn manifest(self) -> Value {
        let source = format!("Deployment/{}", self.source());
        let target = format!("Service/{}", self.target());
        link(&self.name(), &self.alias(), &source, &target).into_value()
    }
}

impl World {
    /// Creates everything but the links.
    pub async fn make(plane: &ControlPlane, links: usize) -> Self {
        let mut namespaces = Vec::new();
        for first in (0..links).step_by(LINKS_IN_NAMESPACE) {
            let namespace = Arc::new(plane.empty_namespace(Number(first).namespace()).await);
            let sources = (first..links.min(first + LINKS_IN_NAMESPACE)).step_by(LINKS_OF_SOURCE);
            let made = stream::iter(sources).map(async |number| {
                let source = idle_deployment(&Number(number).source());
                namespace.create_object(&source).await;
            });
            made.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
            for target in 0..TARGETS {
                make_target(&namespace, &format!("db-{target}"), target).await;
            }
            namespaces.push(namespace);
        }
        Self { links, namespaces }
    }

    /// Creates these links, and waits until the contestant has made all of them active.
    pub async fn activate(&self, plane: &ControlPlane, links: Range<usize>) {
        let moments = Moments::of(plane.client.clone(), "active");
        let creations = links.clone().map(|number| async move {
            let number = Number(number);
            self.namespace_of(number).create_object(&number.manifest()).await;
        });
        let creations = stream::iter(creations).buffer_unordered(AT_ONCE);
        creations.collect::<Vec<()>>().await;
        moments.all(links.end, PATIENCE).await;
    }

    /// The namespace of a link.
    pub fn namespace_of(&self, number: Number) -> &Arc<Namespace> {
        &self.namespaces[number.0 / LINKS_IN_NAMESPACE]
    }

    /// All its links.
    pub fn numbers(&self) -> impl Iterator<Item = Number> + use<> {
        (0..self.links).map(Number)
    }
}

/// A Service that selects one pod.
async fn make_target(namespace: &Namespace, name: &str, number: usize) {
    make_service(namespace, name).await;
    make_pod(namespace, &format!("{name}-0"), name, &format!("10.1.0.{}", number + 1)).await;
}

/// A Service that selects the pods with the label `app: <name>`.
pub async fn make_service(namespace: &Namespace, name: &str) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": name }, "ports": [{ "name": "pg", "port": 5432 }] },
    });
    namespace.create_object(&service).await;
}

/// A ready pod on a node that does not exist.
pub async fn make_pod(namespace: &Namespace, name: &str, app: &str, address: &str) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": app } },
        "spec": {
            "nodeName": "nowhere", "automountServiceAccountToken": false,
            "containers": [{ "name": "main", "image": "none", "ports": [{ "containerPort": 5432 }] }],
        },
    });
    let pods: Api<Pod> = namespace.api();
    // The service account of a namespace is created a moment after the namespace.
    eventually(
        &format!("pod {name} can be made"),
        Duration::from_secs(30),
        async || {
            let pod = serde_json::from_value(pod.clone()).expect("a pod");
            pods.create(&kube::api::PostParams::default(), &pod)
                .await
                .map(drop)
                .map_err(|e| e.to_string())
        },
    )
    .await;
    set_ready(&pods, name, address, true).await;
}

/// Writes the status as a kubelet would.
pub async fn set_ready(pods: &Api<Pod>, name: &str, address: &str, ready: bool) {
    let ready = if ready { "True" } else { "False" };
    let status = json!({ "status": {
        "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": ready }],
    }});
    pods.patch_status(name, &PatchParams::default(), &Patch::Merge(&status))
        .await
        .unwrap_or_else(|e| panic!("cannot say that {name} is ready: {e}"));
}
