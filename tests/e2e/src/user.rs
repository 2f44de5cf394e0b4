//! A user with few rights, played by impersonation.

use instancelink_api::{InstanceLink, keys};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use crate::{Link, Namespace, Output, SHORT, cluster, eventually};

/// Somebody who may do in one namespace what a role says.
pub struct User {
    namespace: Namespace,
    name: String,
    client: Client,
    links: Api<InstanceLink>,
}

impl User {
    /// A user with a cluster role in this namespace, such as `edit`.
    pub async fn with_cluster_role(namespace: &Namespace, name: &str, role: &str) -> Self {
        let user = Self::without_rights(namespace, name).await;
        user.bind("ClusterRole", role).await;
        user
    }

    /// A user with these verbs on links of this namespace, and nothing else.
    pub async fn with_verbs(namespace: &Namespace, name: &str, verbs: &[&str]) -> Self {
        let user = Self::without_rights(namespace, name).await;
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": name },
            "rules": [{ "apiGroups": [keys::GROUP], "resources": ["instancelinks"], "verbs": verbs }],
        });
        namespace.create_object(&role).await;
        user.bind("Role", name).await;
        user
    }

    async fn without_rights(namespace: &Namespace, name: &str) -> Self {
        let client = cluster::connect_as(name).await;
        Self {
            namespace: namespace.clone(),
            name: name.to_owned(),
            links: Api::namespaced(client.clone(), &namespace.name),
            client,
        }
    }

    async fn bind(&self, kind: &str, role: &str) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": self.name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name }],
        });
        self.namespace.create_object(&binding).await;
        // The API server learns of a new right a moment later. Every role here may read links.
        let review = json!({ "spec": { "user": self.name, "resourceAttributes": {
            "namespace": self.namespace.name, "group": keys::GROUP, "resource": "instancelinks", "verb": "get",
        } } });
        let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
        let reviews: Api<SubjectAccessReview> = Api::all(self.namespace.client.clone());
        eventually(&format!("{} has the rights of {role}", self.name), SHORT, async || {
            let answer = reviews
                .create(&PostParams::default(), &review)
                .await
                .map_err(|e| e.to_string())?;
            let status = answer.status.unwrap_or_default();
            if status.allowed {
                Ok(())
            } else {
                Err(format!("{status:?}"))
            }
        })
        .await;
    }

    /// A client with this user's rights.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `kubectl --as <user> annotate il <link> instancelink.dev/action=<value>`.
    pub async fn annotates(&self, link: &Link, value: &str) -> Output {
        link.annotate_with(value, &["--as", &self.name]).await
    }

    /// `kubectl --as <user> …`.
    pub async fn kubectl(&self, arguments: &[&str]) -> Output {
        self.namespace
            .kubectl(&[&["--as", self.name.as_str()], arguments].concat())
            .await
    }

    /// Sets, or with `None` drops, an annotation.
    pub async fn sets_annotation(
        &self,
        link: &Link,
        key: &str,
        value: Option<&str>,
    ) -> Result<InstanceLink, kube::Error> {
        let patch = json!({ "metadata": { "annotations": { key: value } } });
        self.links
            .patch(&link.name, &PatchParams::default(), &Patch::Merge(&patch))
            .await
    }
}
