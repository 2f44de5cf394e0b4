//! Two namespaces that do not trust each other: links from `shop` have targets in `data`, if `data` consents.

use serde_json::{Value, json};

use crate::{Link, LinkManifest, Namespace, Object, idle_deployment, in_namespace, link};

/// `shop` has the source `web`, `data` the target Services `pg` and `pg2`.
pub async fn with_two_tenants(test: impl AsyncFnOnce(&Namespace, &Namespace)) {
    in_namespace(async |shop| {
        in_namespace(async |data| {
            shop.create_object(&idle_deployment("web")).await;
            for service in ["pg", "pg2"] {
                data.fixed_service(service).await;
            }
            test(shop, data).await;
        })
        .await;
    })
    .await;
}

/// A link of `web` into another namespace.
pub fn link_into(data: &Namespace, kind: &str, name: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Service/pg").spec(
        "targetInstanceRef",
        json!({ "kind": kind, "name": name, "namespace": data.name }),
    )
}

impl Namespace {
    /// Creates an `InstanceLinkGrant` in this namespace.
    pub async fn grant(&self, name: &str, from: &Value, to: &Value) -> Object {
        let manifest = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": name },
            "spec": { "from": [from], "to": [to] },
        });
        self.create_object(&manifest).await
    }
}

impl Link {
    /// Waits until the link is held because consent is missing, and returns the message of its condition.
    pub async fn is_not_permitted(&self) -> String {
        self.condition("Ready", "False", "Held").await;
        self.condition("Stalled", "True", "RefNotPermitted").await;
        assert!(self.namespace.addresses_in("web-links").await.is_empty());
        self.condition("ResolvedRefs", "False", "RefNotPermitted").await.message
    }
}
