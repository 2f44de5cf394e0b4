//! A custom kind with a scale subresource, and the rights to it, installed for one test and removed after it. The test
//! acts as its controller.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;

use crate::{Namespace, Object, eventually, serving_set};

const API_VERSION: &str = "example.com/v1";
const KIND: &str = "Widget";
const CRD: &str = "widgets.example.com";
const ROLE: &str = "instancelink-scalable-widgets.example.com";
/// How long the API server may take to serve a CRD, or to stop serving it.
const SERVES: Duration = Duration::from_secs(30);

/// The CRD, and the role that lets the operator read its objects.
pub struct Widgets {
    crd: Object,
    role: Object,
}

impl Widgets {
    /// Runs a test in which the CRD is installed. CRD and role are gone afterwards, even if the test fails.
    pub async fn during(namespace: &Namespace, test: impl AsyncFnOnce(&Self)) {
        let client = &namespace.client;
        let crd = Object::named(client, "", "apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD);
        let role = Object::named(client, "", "rbac.authorization.k8s.io/v1", "ClusterRole", ROLE);
        let widgets = Self { crd, role };
        widgets.disallow().await;
        widgets.uninstall().await;
        widgets.install(namespace).await;
        let outcome = AssertUnwindSafe(test(&widgets)).catch_unwind().await;
        widgets.uninstall().await;
        widgets.disallow().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    /// Installs the CRD, and waits until it is served.
    pub async fn install(&self, namespace: &Namespace) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/widget.yaml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.crd.create(&serde_yaml_ng::from_str(&text).expect("YAML")).await;
        let api = namespace.object(API_VERSION, KIND, "any").api;
        eventually("Widgets are served", SERVES, async || {
            api.list(&ListParams::default())
                .await
                .map(drop)
                .map_err(|e| e.to_string())
        })
        .await;
    }

    /// Deletes the CRD and all Widgets.
    pub async fn uninstall(&self) {
        self.crd.delete().await;
        eventually("the CRD of Widgets is gone", SERVES, async || {
            match self.crd.find().await {
                None => Ok(()),
                Some(found) => Err(format!("{:?}", found.metadata)),
            }
        })
        .await;
    }

    /// Gives the rights in advance.
    pub async fn allow_ahead(&self) {
        let may = |resource: &str, verbs: &[&str]| json!({ "apiGroups": ["example.com"], "resources": [resource], "verbs": verbs });
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": ROLE, "labels": { "instancelink.dev/aggregate-to-operator": "true" } },
            "rules": [may("widgets", &["list", "watch"]), may("widgets/scale", &["get"])],
        });
        self.role.create(&role).await;
    }

    /// Removes the rights.
    pub async fn disallow(&self) {
        self.role.delete().await;
    }

    /// Creates a Widget whose controller has not acted yet.
    pub async fn create(&self, namespace: &Namespace, name: &str) -> Object {
        let manifest = json!({
            "apiVersion": API_VERSION, "kind": KIND, "metadata": { "name": name }, "spec": { "replicas": 1 },
        });
        namespace.create_object(&manifest).await
    }

    /// Acts as its controller: runs a pod with a ReplicaSet or StatefulSet, and writes the selector to the status.
    pub async fn run(&self, namespace: &Namespace, name: &str, by: &str) {
        let widget = namespace.object(API_VERSION, KIND, name);
        let uid = widget.get().await.metadata.uid;
        let mut set = serving_set(by, name, name);
        set["metadata"]["ownerReferences"] =
            json!([{ "apiVersion": API_VERSION, "kind": KIND, "name": name, "uid": uid, "controller": true }]);
        namespace.create_object(&set).await;
        let status = json!({ "status": { "replicas": 1, "selector": format!("app={name}") } });
        widget
            .api
            .patch_status(name, &PatchParams::default(), &Patch::Merge(&status))
            .await
            .expect("the status");
    }
}
