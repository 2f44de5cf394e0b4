//! The installation itself: the objects with its label, kind by kind, and nothing else.

use anyhow::Context;
use instancelink_api::keys;
use instancelink_cluster::Lenient;
use instancelink_cluster::store::projection::ProjectedMetadata;
use kube::api::{ApiResource, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

/// An object of any kind: users may own some of them, and write what no type can hold.
type Metadata = Lenient<ProjectedMetadata>;

/// The label of all objects of an installation.
pub(super) const PART_OF: &str = "app.kubernetes.io/part-of=instancelink";

/// The kind of the definitions of links and grants.
const DEFINITION: &str = "CustomResourceDefinition";

/// Kinds of an installation, in the order of their deletion: first those that could refuse or change requests, last the
/// definitions of the links. (Group, versions newest first, kind, plural.)
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
    // Overlays create these in the namespaces of users.
    ("rbac.authorization.k8s.io", &["v1"], "RoleBinding", "rolebindings"),
    ("rbac.authorization.k8s.io", &["v1"], "Role", "roles"),
    ("", &["v1"], "Namespace", "namespaces"),
    ("apiextensions.k8s.io", &["v1"], DEFINITION, "customresourcedefinitions"),
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

/// All objects with the label, except those in the operator's namespace, which are deleted with it. Of the namespaces only the
/// operator's own: others may belong to users.
pub(super) async fn find(client: &Client, operator_namespace: &str) -> anyhow::Result<Vec<Installed>> {
    let mut found = Vec::new();
    for (group, versions, kind, plural) in KINDS {
        for version in versions {
            let resource = resource(group, version, kind, plural);
            let api: Api<Metadata> = Api::all_with(client.clone(), &resource);
            let list = match api.list(&ListParams::default().labels(PART_OF)).await {
                Ok(list) => list,
                // The API server does not know the kind in this version.
                Err(kube::Error::Api(status)) if status.code == 404 => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("{plural} cannot be listed, so nothing was deleted. Run the command again once the cause is mended"));
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

/// Deletes the objects in their order.
pub(super) async fn delete(client: &Client, installed: Vec<Installed>) -> anyhow::Result<()> {
    for object in installed {
        let api: Api<Metadata> = match &object.namespace {
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
        let done = match allow_deletion(&api, &object).await {
            Ok(()) => api.delete(&object.name, &params).await.map(drop),
            refused => refused,
        };
        match done {
            Ok(()) => println!("deleted {object}"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("{object} cannot be deleted. Run the command again once the cause is mended")
                });
            }
        }
    }
    Ok(())
}

/// The admission policy lets a definition be deleted only with an annotation. The policy is deleted before, but an API server
/// may still apply it for a moment.
async fn allow_deletion(api: &Api<Metadata>, object: &Installed) -> Result<(), kube::Error> {
    if object.resource.kind != DEFINITION {
        return Ok(());
    }
    let meant = json!({ "metadata": { "uid": object.uid, "annotations": { keys::ALLOW_DELETION: "true" } } });
    api.patch(&object.name, &PatchParams::default(), &Patch::Merge(&meant))
        .await
        .map(drop)
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
