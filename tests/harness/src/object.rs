//! Any object of any kind, from minimal YAML or JSON: tests write what a user would apply.

use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// One object in the cluster, and the API to read and write it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its API, in its namespace if it has one.
    pub api: Api<DynamicObject>,
    /// Its name.
    pub name: String,
}

impl Object {
    /// The object that a manifest describes. `namespace` is ignored for cluster-scoped kinds.
    pub fn of(client: &Client, namespace: &str, manifest: &Value) -> Self {
        let text = |pointer: &str| {
            manifest
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{pointer} is missing in {manifest}"))
        };
        Self::named(
            client,
            namespace,
            text("/apiVersion"),
            text("/kind"),
            text("/metadata/name"),
        )
    }

    /// The object of a kind and name.
    pub fn named(client: &Client, namespace: &str, api_version: &str, kind: &str, name: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = if has_namespace(kind) {
            Api::namespaced_with(client.clone(), namespace, &resource)
        } else {
            Api::all_with(client.clone(), &resource)
        };
        Self {
            api,
            name: name.to_owned(),
        }
    }

    /// Creates it. Panics with the API server's answer if that is a refusal.
    pub async fn create(&self, manifest: &Value) -> DynamicObject {
        let object = serde_json::from_value(manifest.clone()).expect("an object");
        self.api
            .create(&PostParams::default(), &object)
            .await
            .unwrap_or_else(|e| panic!("cannot create {}: {e}\n{manifest}", self.name))
    }

    /// The object as it is in the cluster, if it exists.
    pub async fn find(&self) -> Option<DynamicObject> {
        self.api
            .get_opt(&self.name)
            .await
            .unwrap_or_else(|e| panic!("cannot get {}: {e}", self.name))
    }

    /// The object as it is in the cluster. Panics if it does not exist.
    pub async fn get(&self) -> DynamicObject {
        self.find()
            .await
            .unwrap_or_else(|| panic!("{} does not exist", self.name))
    }

    /// Sends a merge patch.
    pub async fn patch(&self, patch: &Value) -> DynamicObject {
        self.api
            .patch(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap_or_else(|e| panic!("cannot patch {}: {e}\n{patch}", self.name))
    }

    /// Deletes it in the background, without a grace period. It is no error if it is gone already.
    pub async fn delete(&self) {
        self.delete_with(&DeleteParams::default().grace_period(0)).await;
    }

    /// Deletes it. It is no error if it is gone already.
    pub async fn delete_with(&self, params: &DeleteParams) {
        match self.api.delete(&self.name, params).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(e) => panic!("cannot delete {}: {e}", self.name),
        }
    }

    /// Removes every finalizer, as an impatient user would.
    pub async fn strip_finalizers(&self) {
        self.patch(&json!({ "metadata": { "finalizers": null } })).await;
    }

    /// The object as YAML, for messages.
    pub async fn yaml(&self) -> String {
        match self.api.get_opt(&self.name).await {
            Ok(Some(mut object)) => {
                object.metadata.managed_fields = None;
                serde_yaml_ng::to_string(&object).unwrap_or_default()
            }
            Ok(None) => format!("{} does not exist", self.name),
            Err(e) => format!("{} cannot be read: {e}", self.name),
        }
    }
}

/// The cluster-scoped kinds that tests use.
fn has_namespace(kind: &str) -> bool {
    !matches!(
        kind,
        "Namespace"
            | "CustomResourceDefinition"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "ValidatingAdmissionPolicy"
            | "ValidatingAdmissionPolicyBinding"
            | "MutatingAdmissionPolicy"
            | "MutatingAdmissionPolicyBinding"
            | "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
    )
}
