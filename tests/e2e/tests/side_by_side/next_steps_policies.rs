//! Messages about NetworkPolicies, for the author of a link. Each test does what the message says with the rights of a user with
//! the role `edit`, and sees that a cut now achieves more, or that the link heals. The pods run on no node: their labels decide.
//!
//! Rules: contract#next-steps, contract#condition-enforced.

use harness::{Link, Namespace, Reader, idle_deployment, in_namespace, link, serving_pod};
use instancelink_api::State::Active;
use serde_json::{Value, json};

async fn pending_pod(ns: &Namespace, name: &str, labels: &[(&str, &str)]) {
    let mut pod = serving_pod(name, labels, name);
    pod["spec"]["nodeSelector"] = json!({ "no": "node" });
    ns.create_object(&pod).await;
}

/// A policy that isolates pods in one direction.
fn deny(direction: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "deny" },
        "spec": { "podSelector": { "matchLabels": labels }, "policyTypes": [direction] },
    })
}

async fn web_db(ns: &Namespace, target: &str, mode: &str) -> Link {
    let manifest = link("web-db", "db", "Deployment/web", target)
        .spec("networkPolicy", mode)
        .spec("ports", json!([{ "name": "http", "port": 8080 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }));
    ns.link(manifest).await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_without_a_policy_is_enforced_after_the_two_steps_of_its_messages() {
    in_namespace(async |ns| {
        for name in ["web", "pg"] {
            ns.create_object(&idle_deployment(name)).await;
        }
        let author = Reader::author(ns).await;
        let link = web_db(ns, "Deployment/pg", "None").await;
        let message = link.condition("Enforced", "False", "DNSOnly").await.message;
        author.writes(&link, &message).await;
        let message = link.condition("Enforced", "False", "TargetNotIsolated").await.message;
        assert!(
            message.contains("isolate the pods with a policy that denies ingress"),
            "{message}"
        );
        author.creates(ns, &deny("Ingress", &json!({}))).await;
        link.condition("Enforced", "True", "TargetIsolated").await;
        link.condition("Ready", "True", "Ready").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_of_which_only_some_pods_are_isolated_is_enforced_when_the_policy_selects_all() {
    in_namespace(async |ns| {
        for name in ["web", "pg"] {
            ns.create_object(&idle_deployment(name)).await;
        }
        pending_pod(ns, "web-in", &[("app", "web"), ("tier", "inner")]).await;
        pending_pod(ns, "web-out", &[("app", "web")]).await;
        ns.create_object(&deny("Egress", &json!({ "tier": "inner" }))).await;
        let author = Reader::author(ns).await;
        let link = web_db(ns, "Deployment/pg", "Allow").await;
        let message = link.condition("Enforced", "False", "SourceNotIsolated").await.message;
        assert!(
            message.contains("not these: web-out") && message.contains("let the policies select all these pods"),
            "{message}"
        );
        let all = json!({ "spec": { "podSelector": { "matchLabels": null } } });
        author.changes(ns, "networkpolicy/deny", &all).await;
        link.condition("Enforced", "True", "SourceIsolated").await;
        link.condition("Ready", "True", "Ready").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_with_the_labels_of_the_target_gets_others_with_the_command_of_the_message() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        for name in ["pg-0", "exporter-0"] {
            pending_pod(ns, name, &[("app", "pg")]).await;
        }
        ns.create_object(&deny("Ingress", &json!({}))).await;
        let author = Reader::author(ns).await;
        let link = web_db(ns, "Pod/pg-0", "Allow").await;
        let message = link.condition("Programmed", "False", "SelectsOtherPods").await.message;
        assert!(
            message.contains("Pod ") && message.contains(": exporter-0."),
            "{message}"
        );
        let filled_in = message
            .replace("NAME", "exporter-0")
            .replace("LABEL=VALUE", "app=exporter");
        author.runs(&filled_in).await;
        link.reaches(Active).await;
        link.condition("Enforced", "True", "TargetIsolated").await;
    })
    .await;
}
