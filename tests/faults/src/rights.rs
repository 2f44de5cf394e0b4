//! The rights of the shipped role one by one, and roles without one of them.

use harness::{Namespace, Object, SYSTEM};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::Api;
use serde_json::{Value, json};

use control_plane::ControlPlane;

const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The verb, for example `get`.
    pub verb: String,
    /// The API group. Empty for the core group.
    pub group: String,
    /// The plural name, with the subresource.
    pub resource: String,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.verb, self.group, self.resource)
    }
}

impl Right {
    /// Whether a watch needs it.
    pub fn is_for_watches(&self) -> bool {
        matches!(self.verb.as_str(), "list" | "watch")
    }

    /// The right as a name for a Kubernetes object.
    pub fn name(&self) -> String {
        let text = format!("{}-{}", self.verb, self.resource.replace('/', "-"));
        text.to_lowercase()
    }
}

/// Every right of a shipped role.
pub async fn rights_of(plane: &ControlPlane, role: &str) -> Vec<Right> {
    let api: Api<ClusterRole> = Api::all(plane.client.clone());
    let role = api.get(role).await.expect("the role is installed");
    role.rules.unwrap_or_default().iter().flat_map(rights_in).collect()
}

fn rights_in(rule: &PolicyRule) -> Vec<Right> {
    let groups = rule.api_groups.clone().unwrap_or_default();
    let resources = rule.resources.clone().unwrap_or_default();
    let mut rights = Vec::new();
    for group in &groups {
        for resource in &resources {
            rights.extend(rule.verbs.iter().map(|verb| Right {
                verb: verb.clone(),
                group: group.clone(),
                resource: resource.clone(),
            }));
        }
    }
    rights
}

/// Creates a cluster role with these rights.
pub async fn make_role(plane: &ControlPlane, name: &str, rights: &[Right]) {
    let rule =
        |right: &Right| json!({ "apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb] });
    let rules: Vec<Value> = rights.iter().map(rule).collect();
    let manifest = json!({
        "apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": { "name": name }, "rules": rules,
    });
    Object::of(&plane.client, "", &manifest).create(&manifest).await;
}

/// Binds a cluster role to an account in the operator's namespace, for all namespaces.
pub async fn give_everywhere(plane: &ControlPlane, role: &str, account: &str) -> Object {
    let manifest = binding("ClusterRoleBinding", "ClusterRole", role, account);
    let object = Object::of(&plane.client, "", &manifest);
    object.create(&manifest).await;
    object
}

/// The same in one namespace.
pub async fn give_in(namespace: &Namespace, role: &str, account: &str) -> Object {
    namespace
        .create_object(&binding("RoleBinding", "ClusterRole", role, account))
        .await
}

/// An account in the operator's namespace that may take part in its elections.
pub async fn make_account(plane: &ControlPlane, name: &str) {
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } });
    Object::of(&plane.client, SYSTEM, &account).create(&account).await;
    let binding = binding("RoleBinding", "Role", "instancelink-leader-election", name);
    Object::of(&plane.client, SYSTEM, &binding).create(&binding).await;
}

fn binding(kind: &str, role_kind: &str, role: &str, account: &str) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": kind, "metadata": { "name": format!("{account}-{role}") },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": SYSTEM }],
    })
}
