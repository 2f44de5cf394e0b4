//! A mutating admission policy of a cluster, such as one that gives each object a label, in the test's namespace only.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use serde_json::{Value, json};

use crate::{Namespace, Object, eventually};

/// Label of the policies. Its value is the namespace that a policy is for.
const LABEL: &str = "e2e/mutates";
const EFFECTIVE: Duration = Duration::from_secs(30);
const GROUP: &str = "admissionregistration.k8s.io";

/// A policy that applies until it is lifted, at the latest at the end of the test.
#[must_use]
pub struct Mutation {
    namespace: Namespace,
    name: String,
}

impl Mutation {
    /// Changes each object of a kind that is created or updated: `Mutation::of(&ns, "services", "[JSONPatch{…}]")`.
    pub async fn of(namespace: &Namespace, resource: &str, patch: &str) -> Self {
        let name = format!("{}-mutates-{resource}", namespace.name);
        let group = match resource {
            "endpointslices" => "discovery.k8s.io",
            "networkpolicies" => "networking.k8s.io",
            _ => "",
        };
        let rule = |group: &str, resource: &str| {
            json!({
                "apiGroups": [group], "apiVersions": ["*"], "resources": [resource], "operations": ["CREATE", "UPDATE"],
            })
        };
        // A policy becomes effective a moment after its creation. It makes a ConfigMap of its name immutable, which shows that.
        let of_probe = "[JSONPatch{op: 'add', path: '/immutable', value: true}]";
        let policy = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "MutatingAdmissionPolicy",
            "metadata": { "name": name, "labels": { LABEL: namespace.name } },
            "spec": {
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                "matchConstraints": { "resourceRules": [rule(group, resource), rule("", "configmaps")] },
                "matchConditions": [{
                    "name": "of-the-test",
                    "expression": format!("object.metadata.name == '{name}' || request.resource.resource == '{resource}'"),
                }],
                "mutations": [{
                    "patchType": "JSONPatch",
                    "jsonPatch": { "expression": format!("object.metadata.name == '{name}' ? {of_probe} : {patch}") },
                }],
            },
        });
        let binding = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "MutatingAdmissionPolicyBinding",
            "metadata": { "name": name, "labels": { LABEL: namespace.name } },
            "spec": {
                "policyName": name,
                "matchResources": { "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace.name } } },
            },
        });
        for manifest in [&policy, &binding] {
            Object::of(&namespace.client, "", manifest).create(manifest).await;
        }
        let mutation = Self {
            namespace: namespace.clone(),
            name,
        };
        mutation.wait_until_it_mutates(true).await;
        mutation
    }

    /// The name of the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deletes the policy, and returns when the API server no longer applies it.
    pub async fn lift(self) {
        remove(&self.namespace, &self.name).await;
        self.wait_until_it_mutates(false).await;
    }

    async fn wait_until_it_mutates(&self, expected: bool) {
        let api: Api<ConfigMap> = self.namespace.api();
        let probe: ConfigMap = serde_json::from_value(
            json!({ "metadata": { "name": self.name }, "data": { "for": "policies of ConfigMaps" } }),
        )
        .expect("a ConfigMap");
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let what = if expected { "mutates" } else { "mutates no more" };
        // Each API server reads its policies at most once a second, so the answer must be the same three times in a row.
        let mut in_a_row = 0;
        eventually(&format!("the policy {} {what}", self.name), EFFECTIVE, async || {
            let answer = api.create(&dry, &probe).await;
            let mutates = answer.as_ref().is_ok_and(|map| map.immutable == Some(true));
            in_a_row = if answer.is_ok() && mutates == expected {
                in_a_row + 1
            } else {
                0
            };
            if in_a_row >= 3 {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await;
    }
}

async fn remove(namespace: &Namespace, name: &str) {
    for kind in ["MutatingAdmissionPolicyBinding", "MutatingAdmissionPolicy"] {
        Object::named(&namespace.client, "", &format!("{GROUP}/v1"), kind, name)
            .delete()
            .await;
    }
}

/// Deletes what a test left behind.
pub(crate) async fn lift_all(namespace: &Namespace) {
    for kind in ["MutatingAdmissionPolicyBinding", "MutatingAdmissionPolicy"] {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind));
        let api: Api<DynamicObject> = Api::all_with(namespace.client.clone(), &resource);
        let ours = ListParams::default().labels(&format!("{LABEL}={}", namespace.name));
        // Clusters before 1.36 do not serve the kind.
        let Ok(list) = api.list(&ours).await else { continue };
        let names = list.into_iter().filter_map(|policy| policy.metadata.name);
        for name in names {
            let policy: Value =
                json!({ "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": { "name": name } });
            Object::of(&namespace.client, "", &policy).delete().await;
        }
    }
}
