//! The installation: everything that `kubectl apply -k deploy` creates.

use std::path::Path;

use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Client, ResourceExt as _};

use crate::{Operator, kubectl};

/// Label of every object of the installation.
const LABEL: &str = "app.kubernetes.io/part-of=instancelink";
const KINDS: [(&str, &str); 15] = [
    ("v1", "Namespace"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding"),
];

/// The installation in a cluster.
pub struct Installation(Client);

impl Installation {
    /// The installation in this cluster.
    pub fn of(client: &Client) -> Self {
        Self(client.clone())
    }

    /// `Kind name` of each of its objects, sorted.
    pub async fn objects(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (api_version, kind) in KINDS {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            let resource = resource(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = Api::all_with(self.0.clone(), &resource);
            match api.list(&ListParams::default().labels(LABEL)).await {
                Ok(list) => names.extend(list.iter().map(|o| format!("{kind} {}", o.name_any()))),
                // Older clusters have no MutatingAdmissionPolicy.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(e) => panic!("cannot list {kind}: {e}"),
            }
        }
        names.sort();
        names
    }

    /// Runs `kubectl apply -k deploy`, a second time if the CRDs are new, and waits for the operator.
    pub async fn put_back(&self, checkout: &Path) {
        let deploy = checkout.join("deploy");
        let deploy = deploy.to_str().expect("a path in UTF-8");
        kubectl(&["apply", "-k", deploy]).await.succeeds();
        let wait = [
            "wait",
            "--for=condition=Established",
            "crd/instancelinks.instancelink.dev",
            "crd/instancelinkgrants.instancelink.dev",
            "--timeout=60s",
        ];
        kubectl(&wait).await.succeeds();
        Operator::of(&self.0).is_ready().await;
    }
}

/// The usual plural is right for all kinds but one.
fn resource(kind: &GroupVersionKind) -> ApiResource {
    match kind.kind.as_str() {
        "NetworkPolicy" => ApiResource::from_gvk_with_plural(kind, "networkpolicies"),
        _ => ApiResource::from_gvk(kind),
    }
}
