//! The shipped admission policies, removed for a while and restored.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use kube::Client;
use kube::ResourceExt as _;
use kube::api::{DynamicObject, PostParams};

use crate::{Namespace, Object, eventually};

/// The bindings that put the policies in force.
const BINDINGS: [(&str, &str); 4] = [
    ("ValidatingAdmissionPolicyBinding", "action.instancelink.dev"),
    ("ValidatingAdmissionPolicyBinding", "intent.instancelink.dev"),
    ("ValidatingAdmissionPolicyBinding", "ttl.instancelink.dev"),
    ("MutatingAdmissionPolicyBinding", "finalizer.instancelink.dev"),
];

/// Runs a test without the shipped policies, and restores them even if it fails. A policy that the cluster never had is
/// not created.
pub async fn without_policies(namespace: &Namespace, test: impl AsyncFnOnce()) {
    let mut taken = Vec::new();
    for (kind, name) in BINDINGS {
        let binding = binding(&namespace.client, kind, name);
        if let Some(found) = binding.find().await {
            binding.delete().await;
            taken.push((binding, found));
        }
    }
    let body = async {
        in_force(namespace, false).await;
        test().await;
    };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    for (binding, found) in &taken {
        binding.create(&as_created(found)).await;
    }
    in_force(namespace, true).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn binding(client: &Client, kind: &str, name: &str) -> Object {
    Object::named(client, "", "admissionregistration.k8s.io/v1", kind, name)
}

/// The object as a user would write it.
fn as_created(found: &DynamicObject) -> serde_json::Value {
    let mut manifest = serde_json::to_value(found).expect("JSON");
    let meta = serde_json::json!({
        "name": found.name_any(), "labels": found.metadata.labels, "annotations": found.metadata.annotations,
    });
    manifest["metadata"] = meta;
    manifest
}

/// Waits until the API server refuses a link with an unknown action, or does not. Nothing is created.
async fn in_force(namespace: &Namespace, expected: bool) {
    let mut in_a_row = 0;
    let what = if expected {
        "the policies are in force"
    } else {
        "the policies are gone"
    };
    eventually(what, Duration::from_mins(1), async || {
        let probe = crate::link("probe", "probe", "Deployment/web", "Service/pg").action("bogus");
        let probe = probe.into_value();
        let object = Object::of(&namespace.client, &namespace.name, &probe);
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let probe = serde_json::from_value(probe).expect("a link");
        let answer = object.api.create(&dry, &probe).await;
        in_a_row = if answer.is_ok() == expected { 0 } else { in_a_row + 1 };
        if in_a_row >= 3 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
}
