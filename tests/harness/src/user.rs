//! A user with few rights, by impersonation.

use instancelink_api::{InstanceLink, keys};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Link, Namespace, Output, SHORT, cluster, eventually};

/// A user with the rights of a role in one namespace.
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
        self.bind_in(&self.namespace, kind, role).await;
        // Every role here may read links.
        let right = json!({ "group": keys::GROUP, "resource": "instancelinks", "verb": "get" });
        self.may(&self.namespace, right).await;
    }

    async fn bind_in(&self, namespace: &Namespace, kind: &str, role: &str) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": format!("{role}-for-{}", self.name) },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name }],
        });
        namespace.create_object(&binding).await;
    }

    /// Gives the user the right of a role with one rule, in any namespace.
    pub async fn is_given(&self, namespace: &Namespace, name: &str, rule: &Value) {
        let manifest = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": name },
            "rules": [rule],
        });
        namespace.create_object(&manifest).await;
        self.bind_in(namespace, "Role", name).await;
        let right = json!({
            "group": rule["apiGroups"][0], "resource": rule["resources"][0], "verb": rule["verbs"][0],
            "name": rule["resourceNames"][0],
        });
        self.may(namespace, right).await;
    }

    /// Waits until the API server applies a right. It applies a new right only after a moment.
    async fn may(&self, namespace: &Namespace, mut right: Value) {
        right["namespace"] = namespace.name.clone().into();
        let review = json!({ "spec": { "user": self.name, "resourceAttributes": right } });
        let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
        let reviews: Api<SubjectAccessReview> = Api::all(self.namespace.client.clone());
        eventually(&format!("{} has the right {right}", self.name), SHORT, async || {
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

    /// The user name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A client with this user's rights.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The user's namespace, with a client that has the user's rights.
    pub fn at_home(&self) -> Namespace {
        Namespace {
            client: self.client.clone(),
            name: self.namespace.name.clone(),
        }
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

    /// The same, with a manifest on its standard input.
    pub async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Output {
        self.namespace
            .kubectl_with(&[&["--as", self.name.as_str()], arguments].concat(), input)
            .await
    }

    /// Sets an annotation, or removes it with `None`.
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
