//! The operator loses a right of its cluster role. The message of a link is the manifest that gives it the right in one namespace.
//!
//! Rules: contract#next-steps, contract#refused-writes.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use harness::{Namespace, OPERATOR_ACCOUNT, Object, Reader, SHORT, eventually, in_namespace, link};
use instancelink_api::State::Active;
use serde_json::{Value, json};

const ROLE: &str = "instancelink-operator";

/// Runs a test while the operator may not create a kind of the core group. The cluster role is as before afterwards, even if the
/// test fails.
async fn without_creating(ns: &Namespace, resource: &str, test: impl AsyncFnOnce()) {
    let role = Object::named(&ns.client, "", "rbac.authorization.k8s.io/v1", "ClusterRole", ROLE);
    let rules = role.get().await.data["rules"].clone();
    let fewer: Vec<Value> = rules
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| split(rule, resource))
        .collect();
    assert!(fewer.len() > rules.as_array().unwrap().len(), "{rules}");
    role.patch(&json!({ "rules": fewer })).await;
    let outcome = AssertUnwindSafe(test()).catch_unwind().await;
    role.patch(&json!({ "rules": rules })).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The rule; where it is for this resource among others, one without it and one that only lacks its creation.
fn split(rule: &Value, resource: &str) -> Vec<Value> {
    let without = |field: &str, word: &str| -> Vec<Value> {
        let words = rule[field].as_array().unwrap().iter();
        words.filter(|found| *found != word).cloned().collect()
    };
    let others = without("resources", resource);
    let is_of_core = rule["apiGroups"] == json!([""]);
    if !is_of_core || others.len() == rule["resources"].as_array().unwrap().len() {
        return vec![rule.clone()];
    }
    vec![
        json!({ "apiGroups": [""], "resources": others, "verbs": rule["verbs"] }),
        json!({ "apiGroups": [""], "resources": [resource], "verbs": without("verbs", "create") }),
    ]
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_objects_may_not_be_created_goes_on_with_the_manifest_of_its_message() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        without_creating(ns, "configmaps", async || {
            // The API server applies a changed role only after a moment.
            let refused = ["auth", "can-i", "create", "configmaps", "--as", OPERATOR_ACCOUNT];
            eventually("the right is lost", SHORT, async || {
                let answer = ns.kubectl(&refused).await;
                if answer.ok { Err(answer.out) } else { Ok(()) }
            })
            .await;
            let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
            let message = link.condition("Programmed", "False", "Forbidden").await.message;
            link.condition("Stalled", "True", "Forbidden").await;
            Reader::of_the_cluster().applies(&message).await;
            link.reaches(Active).await;
        })
        .await;
    })
    .await;
}
