//! The installation itself: what carries its label, kind by kind, and nothing else.

use anyhow::Context;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::{Api, Client, ResourceExt};

use super::PART_OF;

/// Kinds of an installation, in the order they go: first what could refuse or change requests, last the
/// kind of the links. (Group, versions newest first, kind, plural.)
const KINDS: [(&str, &[&str], &str, &str); 12] = [
    (
        "admissionregistration.k8s.io",
        &["v1"],
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        &["v1"],
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
    ),
    ("flowcontrol.apiserver.k8s.io", &["v1"], "FlowSchema", "flowschemas"),
    (
        "flowcontrol.apiserver.k8s.io",
        &["v1"],
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
    ),
    (
        "rbac.authorization.k8s.io",
        &["v1"],
        "ClusterRoleBinding",
        "clusterrolebindings",
    ),
    ("rbac.authorization.k8s.io", &["v1"], "ClusterRole", "clusterroles"),
    // What overlays put into namespaces of users.
    ("rbac.authorization.k8s.io", &["v1"], "RoleBinding", "rolebindings"),
    ("rbac.authorization.k8s.io", &["v1"], "Role", "roles"),
    ("", &["v1"], "Namespace", "namespaces"),
    (
        "apiextensions.k8s.io",
        &["v1"],
        "CustomResourceDefinition",
        "customresourcedefinitions",
    ),
];

/// An object of the installation.
pub(super) struct Installed {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
    uid: Option<String>,
}

impl std::fmt::Display for Installed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.resource.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// Everything that carries the label, but what goes with the operator's namespace. Of namespaces only that one: others
/// may be somebody's.
pub(super) async fn find(client: &Client, operator_namespace: &str) -> anyhow::Result<Vec<Installed>> {
    let mut found = Vec::new();
    for (group, versions, kind, plural) in KINDS {
        for version in versions {
            let resource = resource(group, version, kind, plural);
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let list = match api.list(&ListParams::default().labels(PART_OF)).await {
                Ok(list) => list,
                // This server does not know the kind in this version.
                Err(kube::Error::Api(status)) if status.code == 404 => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("{plural} cannot be listed; nothing was deleted"));
                }
            };
            found.extend(
                list.into_iter()
                    .filter(|object| kind != "Namespace" || object.name_any() == operator_namespace)
                    .filter(|object| object.namespace().as_deref() != Some(operator_namespace))
                    .map(|object| Installed {
                        resource: resource.clone(),
                        namespace: object.namespace(),
                        name: object.name_any(),
                        uid: object.uid(),
                    }),
            );
            break;
        }
    }
    Ok(found)
}

/// Deletes what was found, in its order.
pub(super) async fn delete(client: &Client, installed: Vec<Installed>) -> anyhow::Result<()> {
    for object in installed {
        let api: Api<DynamicObject> = match &object.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &object.resource),
            None => Api::all_with(client.clone(), &object.resource),
        };
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: object.uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::background()
        };
        match api.delete(&object.name, &params).await {
            Ok(_) => println!("deleted {object}"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(error).with_context(|| format!("{object} cannot be deleted; run this again")),
        }
    }
    Ok(())
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}
