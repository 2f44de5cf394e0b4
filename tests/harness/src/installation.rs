//! The installation itself: everything `kubectl apply -k deploy` makes.

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

/// What is installed in a cluster.
pub struct Installation(Client);

impl Installation {
    /// The one in this cluster.
    pub fn of(client: &Client) -> Self {
        Self(client.clone())
    }

    /// `Kind name` of every object of it, sorted.
    pub async fn objects(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (api_version, kind) in KINDS {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            let resource = resource(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = Api::all_with(self.0.clone(), &resource);
            match api.list(&ListParams::default().labels(LABEL)).await {
                Ok(list) => names.extend(list.iter().map(|o| format!("{kind} {}", o.name_any()))),
                // An older cluster has no MutatingAdmissionPolicy.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(e) => panic!("cannot list {kind}: {e}"),
            }
        }
        names.sort();
        names
    }

    /// `kubectl apply -k deploy`, twice as the README says where the CRDs are new, and waits for the operator.
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

/// The usual plural is the right one for all but one of the kinds.
fn resource(kind: &GroupVersionKind) -> ApiResource {
    match kind.kind.as_str() {
        "NetworkPolicy" => ApiResource::from_gvk_with_plural(kind, "networkpolicies"),
        _ => ApiResource::from_gvk(kind),
    }
}
