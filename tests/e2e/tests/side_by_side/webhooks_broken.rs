//! Webhooks that do not work: their server is down, slow, or answers with something that the API server cannot use. The link
//! names the webhook and the object, and goes on within ten seconds when the webhook works.
//!
//! Rules: contract#refused-writes, lifecycle#retries, lifecycle#forbidden-deletion-waits, lifecycle#refused-link-write.

use harness::{
    Link, Namespace, Reader, Review, Verdict, Webhook, goes_on_without, in_namespace, link, reaches_webhooks, soon,
};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

const GROUP: &str = "webhooks_broken";

async fn a_link(ns: &Namespace) -> Link {
    ns.web_and_two_databases().await;
    ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await
}

/// Waits until the link says all of these, and runs the command of its message.
async fn says(link: &Link, parts: &[&str]) -> String {
    let message = link.condition("Programmed", "False", "AdmissionFailed").await.message;
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    Reader::of_the_cluster().runs(&message).await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_that_is_down_is_named_and_the_link_goes_on_when_it_comes_back() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let mut webhook = Webhook::down(ns, &["services"]).await;
        let link = a_link(ns).await;
        let object = format!("create Service {}/web-links", ns.name);
        let parts = [object.as_str(), webhook.name(), "connection refused"];
        let listed = says(&link, &parts).await;
        assert!(listed.contains(webhook.name()), "{listed}");
        webhook.listens();
        goes_on_without(webhook, link.reaches(Active)).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_that_does_not_answer_is_named_by_a_link_that_is_deleted() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let link = a_link(ns).await;
        link.reaches(Active).await;
        let hangs = |review: &Review| match review.operation.as_str() {
            "DELETE" => Verdict::Silence,
            _ => Verdict::Allow,
        };
        let webhook = Webhook::validating_within(ns, &["services"], 1, hangs).await;
        link.delete().await;
        let object = format!("delete Service {}/web-links", ns.name);
        says(&link, &[&object, webhook.name()]).await;
        goes_on_without(webhook, link.is_gone()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_that_answers_nonsense_is_named_and_the_link_goes_on_when_it_is_repaired() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let webhook = Webhook::mutating(ns, &["configmaps"], |_| Verdict::Nonsense).await;
        let link = a_link(ns).await;
        let object = format!("create ConfigMap {}/web-links", ns.name);
        says(&link, &[&object, webhook.name()]).await;
        link.condition("Available", "True", "EndpointsReady").await;
        goes_on_without(webhook, link.reaches(Active)).await;
    })
    .await;
}

/// The API server calls this a failure of its own, and does not name the webhook.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_whose_patch_does_not_fit_is_said_and_the_link_goes_on_when_it_is_repaired() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    for (path, value) in [("/spec/missing/field", json!(1)), ("/metadata/labels", json!("no map"))] {
        in_namespace(async |ns| {
            let patch = json!({ "op": "replace", "path": path, "value": value });
            let webhook = Webhook::mutating(ns, &["services"], move |_| Verdict::Patch(vec![patch.clone()])).await;
            let link = a_link(ns).await;
            let object = format!("create Service {}/web-links", ns.name);
            let listed = says(&link, &[&object, "a patch that does not fit the object"]).await;
            assert!(listed.contains(webhook.name()), "{listed}");
            goes_on_without(webhook, link.reaches(Active)).await;
        })
        .await;
    }
}

/// The API server calls this a failure of its own.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_that_patches_what_is_deleted_is_named_by_a_link_that_is_cut_or_deleted() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let link = a_link(ns).await;
        link.reaches(Active).await;
        let patches = |review: &Review| match review.operation.as_str() {
            "DELETE" => Verdict::Patch(vec![
                json!({ "op": "add", "path": "/metadata/labels/team", "value": "shop" }),
            ]),
            _ => Verdict::Allow,
        };
        let webhook = Webhook::mutating(ns, &["endpointslices"], patches).await;
        link.act("deactivate").await.is_accepted();
        let object = format!("delete EndpointSlice {}/web-db-v4", ns.name);
        let parts = [object.as_str(), webhook.name(), "attempted to modify the object"];
        says(&link, &parts).await;
        webhook.allows(link.reaches(Inactive)).await;
        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        webhook.answers(patches);
        link.delete().await;
        says(&link, &parts).await;
        goes_on_without(webhook, link.is_gone()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_of_links_that_does_not_work_is_named_by_an_event_and_holds_no_deletion() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let webhook = Webhook::validating(ns, &["instancelinks/status"], |_| Verdict::Nonsense).await;
        let link = a_link(ns).await;
        let event = ns.events_of(&link, "AdmissionFailed", 1).await.remove(0);
        let note = event.note.unwrap_or_default();
        let name = format!("InstanceLink {}/web-db", ns.name);
        assert!(note.contains(&name) && note.contains(webhook.name()), "{note}");
        webhook.allows(link.reaches(Active)).await;
        webhook.answers(|_| Verdict::Nonsense);
        link.delete().await;
        soon(link.is_gone()).await;
        webhook.lift().await;
    })
    .await;
}
