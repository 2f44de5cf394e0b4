//! Readiness gates: pods that have one, and the overlay that lets the operator write them.

use std::path::Path;

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::{Namespace, OPERATOR_ACCOUNT, SHORT, eventually};

/// A pod, or the pods of a workload, with the readiness gate of this alias.
pub fn gated(mut manifest: Value, alias: &str) -> Value {
    let spec = match manifest["kind"].as_str() {
        Some("Pod") => &mut manifest["spec"],
        _ => &mut manifest["spec"]["template"]["spec"],
    };
    spec["readinessGates"] = json!([{ "conditionType": format!("instancelink.dev/{alias}") }]);
    manifest
}

impl Namespace {
    /// Applies `deploy/overlays/readiness-gates` to this namespace.
    pub async fn allow_readiness_gates(&self) {
        let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/overlays/readiness-gates");
        let overlay = overlay.to_str().expect("a path in UTF-8");
        self.kubectl(&["apply", "-k", overlay]).await.succeeds();
        // The API server applies a new right a moment later. If the operator tried before that, it would wait minutes
        // to try again.
        let review = json!({ "spec": { "user": OPERATOR_ACCOUNT, "resourceAttributes": {
            "namespace": self.name, "resource": "pods", "subresource": "status", "verb": "patch",
        } } });
        let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        eventually("the operator may patch pods/status", SHORT, async || {
            let answer = reviews.create(&PostParams::default(), &review).await;
            let status = answer.map_err(|e| e.to_string())?.status.unwrap_or_default();
            if status.allowed {
                Ok(())
            } else {
                Err(format!("{status:?}"))
            }
        })
        .await;
    }
}
