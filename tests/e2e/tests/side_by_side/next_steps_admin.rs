//! Messages for administrators, of a namespace or of the cluster. Each test does what the message says with the rights of the
//! one whom it is for, and sees the link heal.
//!
//! Rule: contract#next-steps.

use harness::{
    Namespace, Object, Reader, SHORT, User, eventually, fixed_service, idle_deployment, in_namespace, link, link_into,
    with_two_tenants,
};
use instancelink_api::State::{Active, Purged, Removed};
use kube::api::PostParams;
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_administrator_of_the_target_consents_first_to_the_link_and_then_to_its_policy() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        let administrator = Reader::administrator(data).await;
        let manifest = link_into(data, "Deployment", "pg")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = shop.link(manifest).await;
        let message = link.condition("ResolvedRefs", "False", "RefNotPermitted").await.message;
        administrator.applies(&message).await;
        link.reaches(Active).await;

        link.edit(json!({ "networkPolicy": "Allow" })).await;
        let message = link.condition("Programmed", "False", "Forbidden").await.message;
        administrator.applies(&message).await;
        link.reaches(Active).await;
        link.condition("Programmed", "True", "Programmed").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_administrator_allows_an_action_with_the_command_of_its_refusal() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let link = ns
            .link(link("web-db", "db", "Deployment/web", "Service/pg").action("remove"))
            .await;
        link.reaches(Removed).await;
        let editor = User::with_cluster_role(ns, &format!("ed-{}", ns.name), "edit").await;
        let refused = editor.annotates(&link, "purge").await;
        assert!(!refused.ok, "{refused:?}");
        Reader::administrator(ns).await.runs(&refused.err).await;
        // The API server applies a new right only after a moment.
        eventually("the editor may purge", SHORT, async || {
            let answer = editor.annotates(&link, "purge").await;
            if answer.ok { Ok(()) } else { Err(answer.err) }
        })
        .await;
        link.reaches(Purged).await;
    })
    .await;
}

/// A webhook for the Services of a namespace whose server does not exist.
fn broken_webhook(ns: &Namespace) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": ns.name },
        "webhooks": [{
            "name": format!("{}.example.com", ns.name),
            "clientConfig": { "url": "https://127.0.0.1:1/" },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"], "operations": ["CREATE"] }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": ns.name } },
            "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "timeoutSeconds": 2,
        }],
    })
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_command_of_the_message_shows_the_webhook_that_does_not_work_and_the_link_goes_on_without_it() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let webhook = Object::of(&ns.client, "", &broken_webhook(ns));
        webhook.create(&broken_webhook(ns)).await;
        // The API server calls a webhook only a moment after its creation.
        let probe = fixed_service("probe");
        let service = Object::of(&ns.client, &ns.name, &probe);
        eventually("the webhook is called", SHORT, async || {
            let dry = PostParams {
                dry_run: true,
                ..PostParams::default()
            };
            let probe = serde_json::from_value(probe.clone()).unwrap();
            let answer = service.api.create(&dry, &probe).await;
            let failed = answer
                .as_ref()
                .is_err_and(|e| e.to_string().contains("failed calling webhook"));
            if failed { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let message = link.condition("Programmed", "False", "AdmissionFailed").await.message;
        let name = format!("{}.example.com", ns.name);
        assert!(message.contains(&format!("\"{name}\"")), "{message}");
        let shown = Reader::of_the_cluster().runs(&message).await;
        assert!(shown.contains(&format!("name: {name}")), "{shown}");
        webhook.delete().await;
        link.reaches(Active).await;
    })
    .await;
}
