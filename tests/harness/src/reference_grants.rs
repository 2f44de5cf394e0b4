//! The `ReferenceGrant` of the Gateway API, installed for one test and removed after it. The CRD is cluster-scoped.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::{Namespace, Object, eventually};

const NAME: &str = "referencegrants.gateway.networking.k8s.io";
const MANIFEST: &str = "reference-grant.yaml";
/// Label of the CRD that tests install.
const LABEL: &str = "e2e";
/// How long the API server may take to serve a CRD, or to stop serving it.
const SERVES: Duration = Duration::from_secs(30);

/// The CRD.
pub struct ReferenceGrants {
    namespace: Namespace,
    crd: Object,
}

impl ReferenceGrants {
    /// Runs a test that may install the CRD. The CRD is gone afterwards, even if the test fails.
    pub async fn during(namespace: &Namespace, test: impl AsyncFnOnce(&Self)) {
        let crd = Object::named(
            &namespace.client,
            "",
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            NAME,
        );
        let grants = Self {
            namespace: namespace.clone(),
            crd,
        };
        if let Some(found) = grants.crd.find().await {
            let labels = found.metadata.labels.unwrap_or_default();
            assert!(
                labels.contains_key(LABEL),
                "this cluster has the Gateway API; these tests take its ReferenceGrants away, so they need one without"
            );
        }
        grants.uninstall().await;
        let outcome = AssertUnwindSafe(test(&grants)).catch_unwind().await;
        grants.uninstall().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    /// Installs it with these versions.
    pub async fn install(&self, versions: &[&str]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../manifests")
            .join(MANIFEST);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut manifest: Value = serde_yaml_ng::from_str(&text).expect("YAML");
        manifest["spec"]["versions"] = serving(&manifest["spec"]["versions"], versions);
        self.crd.create(&manifest).await;
        self.is_served_in(versions).await;
    }

    /// Changes the versions that are served.
    pub async fn serve(&self, versions: &[&str]) {
        let found = serde_json::to_value(self.crd.get().await).expect("JSON");
        let versions_then = serving(&found["spec"]["versions"], versions);
        self.crd.patch(&json!({ "spec": { "versions": versions_then } })).await;
        self.is_served_in(versions).await;
    }

    /// Deletes it and all its objects.
    pub async fn uninstall(&self) {
        self.crd.delete().await;
        eventually("the CRD of ReferenceGrants is gone", SERVES, async || {
            match self.crd.find().await {
                None => Ok(()),
                Some(found) => Err(format!("{:?}", found.metadata)),
            }
        })
        .await;
    }

    /// The object with this name in a namespace.
    pub fn object(&self, namespace: &Namespace, version: &str, name: &str) -> Object {
        let api_version = format!("gateway.networking.k8s.io/{version}");
        Object::named(
            &self.namespace.client,
            &namespace.name,
            &api_version,
            "ReferenceGrant",
            name,
        )
    }

    /// Creates a grant.
    pub async fn grant(&self, namespace: &Namespace, version: &str, name: &str, from: &Value, to: &Value) -> Object {
        let object = self.object(namespace, version, name);
        let manifest = json!({
            "apiVersion": format!("gateway.networking.k8s.io/{version}"), "kind": "ReferenceGrant",
            "metadata": { "name": name },
            "spec": { "from": [from], "to": [to] },
        });
        object.create(&manifest).await;
        object
    }

    async fn is_served_in(&self, versions: &[&str]) {
        for version in ["v1", "v1beta1"] {
            let api = self.object(&self.namespace, version, "any").api;
            let expected = versions.contains(&version);
            eventually(&format!("{version} is served: {expected}"), SERVES, async || {
                let answer = api.list(&ListParams::default()).await;
                if answer.is_ok() == expected {
                    Ok(())
                } else {
                    Err(format!("{:?}", answer.err()))
                }
            })
            .await;
        }
    }
}

fn serving(definitions: &Value, versions: &[&str]) -> Value {
    let mut definitions = definitions.clone();
    for definition in definitions.as_array_mut().expect("versions") {
        let served = definition["name"].as_str().is_some_and(|name| versions.contains(&name));
        definition["served"] = served.into();
    }
    definitions
}
