//! The operator's account and its tokens.

use std::time::Duration;

use harness::{Object, SYSTEM};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::ControlPlane;

/// A service account for an operator.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name, in the operator's namespace.
    pub name: String,
}

impl Account {
    /// The account of `deploy/`, with exactly its rights.
    pub fn shipped() -> Self {
        Self::named("instancelink")
    }

    /// Another account in the operator's namespace.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Creates it if it does not exist, and gives it all rights.
    pub async fn make_administrator(&self, plane: &ControlPlane) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("{}-is-administrator", self.name) },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "kind": "ServiceAccount", "namespace": SYSTEM, "name": self.name }],
        });
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": self.name } });
        for manifest in [account, binding] {
            let object = Object::of(&plane.client, SYSTEM, &manifest);
            if object.find().await.is_none() {
                object.create(&manifest).await;
            }
        }
    }

    /// A token for it. It is valid for an hour, or until the Secret that it is bound to is gone.
    pub async fn token(&self, plane: &ControlPlane, bound_to: Option<&str>) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(plane.client.clone(), SYSTEM);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: i64::try_from(Duration::from_hours(1).as_secs()).ok(),
                bound_object_ref: bound_to.map(|secret| BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Secret".to_owned()),
                    name: Some(secret.to_owned()),
                    uid: None,
                }),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(&self.name, &PostParams::default(), &request)
            .await;
        let status = answer.expect("a token").status;
        status.and_then(|s| s.token).expect("a token")
    }
}
