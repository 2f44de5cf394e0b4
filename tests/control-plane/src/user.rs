//! A user of the cluster who is not its administrator.

use std::time::Duration;

use harness::{Namespace, Object, eventually};
use instancelink_api::InstanceLink;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::json;

use crate::ControlPlane;
use crate::plane::{ADMIN, client_of, kubeconfig_of};

/// The API server applies a new right a moment later.
const LEARNS: Duration = Duration::from_secs(30);

impl ControlPlane {
    /// A client of a user who may edit in every namespace. The API server queues the requests of this user like those
    /// of others.
    /// It never queues those of [`ControlPlane::client`].
    pub async fn user(&self, name: &str) -> Client {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("{name}-edits") },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }],
        });
        Object::of(&self.client, "", &binding).create(&binding).await;
        let client = self.client_as(name).await;
        let links: Api<InstanceLink> = Api::all(client.clone());
        eventually(&format!("{name} may edit links"), LEARNS, async || {
            let asked = links.list(&ListParams::default().limit(1)).await;
            asked.map(drop).map_err(|e| e.to_string())
        })
        .await;
        client
    }
    /// A client of a user who may edit in this namespace, and has no other rights.
    pub async fn editor_of(&self, namespace: &Namespace, name: &str) -> Client {
        namespace
            .create_object(&json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": { "name": format!("{name}-edits") },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit" },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }],
            }))
            .await;
        let client = self.client_as(name).await;
        let links: Api<InstanceLink> = Api::namespaced(client.clone(), &namespace.name);
        eventually(&format!("{name} may edit links"), LEARNS, async || {
            let asked = links.list(&ListParams::default().limit(1)).await;
            asked.map(drop).map_err(|e| e.to_string())
        })
        .await;
        client
    }

    async fn client_as(&self, name: &str) -> Client {
        let user = json!({ "token": ADMIN, "as": name });
        client_of(&kubeconfig_of(&self.server(), &user)).await
    }
}
