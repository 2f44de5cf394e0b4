//! Keeps a link in a state that usually lasts milliseconds. A policy of the test refuses the operator's next write of
//! a kind in the test's namespace, until the test lifts it.

use std::time::Duration;

use instancelink_api::State;
use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

use crate::{Namespace, OPERATOR_ACCOUNT, Object, eventually};

/// Label of the policies. Its value is the namespace that a policy is for.
const LABEL: &str = "e2e/namespace";
/// A policy becomes effective a moment after its creation. It refuses a ConfigMap of its name too, which shows that. One for all
/// policies would not do: of several that refuse it, the answer names one.
const EFFECTIVE: Duration = Duration::from_secs(30);

/// A policy that applies until it is lifted, at the latest at the end of the test.
#[must_use]
pub struct Hold {
    namespace: Namespace,
    name: String,
}

impl Hold {
    /// Refuses writes that bring any link, or the named link, into one of these states.
    pub async fn before(namespace: &Namespace, link: Option<&str>, states: &[State]) -> Self {
        let states: Vec<String> = states.iter().map(|s| format!("'{s}'")).collect();
        let rule = rule("instancelink.dev", "instancelinks/status", &["UPDATE"]);
        let named = link.map_or_else(|| "true".to_owned(), |l| format!("request.name == '{l}'"));
        let condition = format!("{named} && object.status.state in [{}]", states.join(", "));
        Self::put(namespace, &rule, &condition).await
    }

    /// Refuses every write to a link or its status.
    pub async fn links(namespace: &Namespace) -> Self {
        let mut rule = rule("instancelink.dev", "instancelinks", &["UPDATE"]);
        rule["resources"] = json!(["instancelinks", "instancelinks/status"]);
        Self::put(namespace, &rule, "true").await
    }

    /// Refuses the removal of the finalizer.
    pub async fn finalizer(namespace: &Namespace) -> Self {
        let gone = "!has(object.metadata.finalizers) || !('instancelink.dev/lifecycle' in object.metadata.finalizers)";
        Self::put(namespace, &rule("instancelink.dev", "instancelinks", &["UPDATE"]), gone).await
    }

    /// Refuses writes of a kind of child: `Hold::writes(&ns, "endpointslices", &["CREATE"])`.
    pub async fn writes(namespace: &Namespace, resource: &str, operations: &[&str]) -> Self {
        Self::writes_as(namespace, resource, operations, "Invalid").await
    }

    /// The same, with this reason, which decides the code: `Forbidden`, `Invalid` or `RequestEntityTooLarge`.
    pub async fn writes_as(namespace: &Namespace, resource: &str, operations: &[&str], reason: &str) -> Self {
        let group = match resource {
            "endpointslices" => "discovery.k8s.io",
            "networkpolicies" => "networking.k8s.io",
            _ => "",
        };
        Self::put_as(namespace, &rule(group, resource, operations), "true", reason).await
    }

    /// Refuses objects of a kind without this label: `Hold::unlabelled(&ns, "services", "team")`.
    pub async fn unlabelled(namespace: &Namespace, resource: &str, label: &str) -> Self {
        let without = format!("!has(object.metadata.labels) || !('{label}' in object.metadata.labels)");
        Self::put(namespace, &rule("", resource, &["CREATE", "UPDATE"]), &without).await
    }

    /// Refuses to write the readiness gates of this app.
    pub async fn gates(namespace: &Namespace, app: &str) -> Self {
        let of_app = format!("object.metadata.name.startsWith('{app}-')");
        Self::put(namespace, &rule("", "pods/status", &["UPDATE"]), &of_app).await
    }

    /// The name of the policy and of its binding.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn put(namespace: &Namespace, rule: &Value, condition: &str) -> Self {
        Self::put_as(namespace, rule, condition, "Invalid").await
    }

    async fn put_as(namespace: &Namespace, rule: &Value, condition: &str, reason: &str) -> Self {
        let count = policies(namespace).await.len();
        let name = format!("{}-hold-{count}", namespace.name);
        let resource = rule["resources"][0]
            .as_str()
            .and_then(|r| r.split('/').next())
            .unwrap_or_default();
        let probe = format!("(request.resource.resource == 'configmaps' && request.name == '{name}')");
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": name, "labels": { LABEL: namespace.name } },
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": { "resourceRules": [rule, self::rule("", "configmaps", &["CREATE"])] },
                "matchConditions": [{
                    "name": "held",
                    "expression": format!(
                        "{probe} || (request.userInfo.username == '{OPERATOR_ACCOUNT}' && \
                         request.resource.resource == '{resource}' && ({condition}))"
                    ),
                }],
                "validations": [{ "expression": "false", "message": "held back by a test", "reason": reason }],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": name, "labels": { LABEL: namespace.name } },
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": { "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace.name } } },
            },
        });
        for manifest in [&policy, &binding] {
            Object::of(&namespace.client, "", manifest).create(manifest).await;
        }
        let hold = Self {
            namespace: namespace.clone(),
            name,
        };
        hold.wait_until_it_refuses(true).await;
        hold
    }

    /// Deletes the policy, and returns when the API server no longer applies it.
    pub async fn lift(self) {
        remove(&self.namespace, &self.name).await;
        self.wait_until_it_refuses(false).await;
    }

    /// Sends the probe until this policy refuses it, or until no policy of this name does.
    async fn wait_until_it_refuses(&self, expected: bool) {
        let api: Api<ConfigMap> = self.namespace.api();
        let probe: ConfigMap =
            serde_json::from_value(json!({ "metadata": { "name": self.name } })).expect("a ConfigMap");
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let quoted = format!("'{}'", self.name);
        let what = if expected { "refuses" } else { "refuses no more" };
        // The API server reads its policies at most once a second, so the answer must be the same three times in a row.
        let mut in_a_row = 0;
        eventually(&format!("the policy {} {what}", self.name), EFFECTIVE, async || {
            let answer = api.create(&dry, &probe).await;
            let refuses = matches!(&answer, Err(kube::Error::Api(s)) if s.message.contains(&quoted));
            in_a_row = if refuses == expected { in_a_row + 1 } else { 0 };
            if in_a_row >= 3 {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await;
    }
}

fn rule(group: &str, resource: &str, operations: &[&str]) -> Value {
    json!({ "apiGroups": [group], "apiVersions": ["*"], "resources": [resource], "operations": operations })
}

async fn policies(namespace: &Namespace) -> Vec<String> {
    let api: Api<ValidatingAdmissionPolicy> = Api::all(namespace.client.clone());
    let ours = ListParams::default().labels(&format!("{LABEL}={}", namespace.name));
    let list = api.list(&ours).await.expect("a list of policies");
    list.into_iter().filter_map(|p| p.metadata.name).collect()
}

async fn remove(namespace: &Namespace, name: &str) {
    for kind in ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"] {
        Object::named(&namespace.client, "", "admissionregistration.k8s.io/v1", kind, name)
            .delete()
            .await;
    }
}

/// Deletes what a test left behind.
pub(crate) async fn lift_all(namespace: &Namespace) {
    for name in policies(namespace).await {
        remove(namespace, &name).await;
    }
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(namespace.client.clone());
    let ours = ListParams::default().labels(&format!("{LABEL}={}", namespace.name));
    // Bindings are usually deleted with their policies. These are left if the creation of a policy failed half way.
    drop(bindings.delete_collection(&DeleteParams::default(), &ours).await);
}
