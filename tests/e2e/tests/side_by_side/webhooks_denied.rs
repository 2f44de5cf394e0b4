//! Validating webhooks deny writes of the operator, of the objects of a link and of the link itself. The link says who denies
//! which write, or, where it cannot be written, an event does. The link goes on within ten seconds when the webhook allows it.
//!
//! Rules: contract#refused-writes, contract#events, lifecycle#retries, lifecycle#refused-link-write.

use std::time::Duration;

use futures::future::join_all;
use harness::{
    Link, Namespace, Review, Verdict, Webhook, goes_on_without, in_namespace, link, never, reaches_webhooks,
};
use instancelink_api::State::{Activating, Active, Requested};
use instancelink_api::keys;
use tokio::time::{Instant, sleep};

const GROUP: &str = "webhooks_denied";
/// So long are the requests counted.
const COUNTED: Duration = Duration::from_secs(30);
/// A link that cannot be written is tried three times in a pass, with pauses of up to eight seconds between passes.
const MOST: usize = 30;

/// Waits until the message of `Programmed` has all of these.
async fn says(link: &Link, reason: &str, parts: &[&str]) {
    let message = link.condition("Programmed", "False", reason).await.message;
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    assert!(!message.contains("kind: Role"), "a right does not help: {message}");
}

async fn active(ns: &Namespace) -> Link {
    ns.web_and_two_databases().await;
    let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
    link.reaches(Active).await;
    link
}

/// Codes that a webhook may choose. Without its words, the operator treats each of them in another way.
const CODES: [u16; 8] = [400, 403, 404, 409, 422, 429, 500, 503];

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_is_named_whatever_its_code_and_the_links_go_on_when_it_allows_them() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let denies = |review: &Review| {
            let code = review.name.split('-').find_map(|part| part.parse().ok());
            code.map_or(Verdict::Allow, |code| {
                Verdict::Deny(code, format!("no team, says {code}"))
            })
        };
        let webhook = Webhook::validating(ns, &["endpointslices"], denies).await;
        let links = CODES.map(|code| {
            let manifest = link(
                &format!("of-{code}"),
                &format!("db{code}"),
                "Deployment/web",
                "Service/pg",
            );
            ns.link(manifest)
        });
        let links = join_all(links).await;
        for (link, code) in links.iter().zip(CODES) {
            let object = format!("create EndpointSlice {}/of-{code}-v4", ns.name);
            let words = format!("no team, says {code}");
            says(link, "AdmissionDenied", &[&object, webhook.name(), &words]).await;
            link.condition("Stalled", "True", "AdmissionDenied").await;
        }
        for link in &links {
            assert_eq!(link.status().await.state, Activating, "{}", link.name);
        }
        goes_on_without(webhook, join_all(links.iter().map(|link| link.reaches(Active)))).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deletion_that_a_webhook_denies_names_it_and_ends_when_it_allows_that() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let link = active(ns).await;
        let keeps = |review: &Review| match review.operation.as_str() {
            "DELETE" => Verdict::Deny(403, "services are kept".to_owned()),
            _ => Verdict::Allow,
        };
        let webhook = Webhook::validating(ns, &["services"], keeps).await;
        link.delete().await;
        let object = format!("delete Service {}/web-links", ns.name);
        says(
            &link,
            "AdmissionDenied",
            &[&object, webhook.name(), "services are kept"],
        )
        .await;
        goes_on_without(webhook, link.is_gone()).await;
    })
    .await;
}

/// Waits for the event that names the webhook, and counts the requests meanwhile.
async fn is_reported_without_a_hot_loop(ns: &Namespace, link: &Link, webhook: &Webhook) {
    let began = Instant::now();
    let event = ns.events_of(link, "AdmissionDenied", 1).await.remove(0);
    let note = event.note.unwrap_or_default();
    let name = format!("InstanceLink {}/{}", ns.name, link.name);
    for part in [name.as_str(), webhook.name(), "links are kept"] {
        assert!(note.contains(part), "{part:?} is not in {note}");
    }
    sleep(COUNTED.saturating_sub(began.elapsed())).await;
    let requests = webhook.reviews_since(began).len();
    assert!(requests <= MOST, "{requests} requests in {:?}", began.elapsed());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_status_a_webhook_denies_has_an_event_and_goes_on_soon_after() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let denies = |_: &Review| Verdict::Deny(422, "links are kept".to_owned());
        let webhook = Webhook::validating(ns, &["instancelinks/status"], denies).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        is_reported_without_a_hot_loop(ns, &link, &webhook).await;
        assert_eq!(link.status().await.state, Requested, "nothing of it was written");
        goes_on_without(webhook, link.reaches(Active)).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_finalizer_a_webhook_keeps_has_an_event_and_is_gone_soon_after() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let link = active(ns).await;
        let keeps = |review: &Review| {
            let finalizers = review.object["metadata"]["finalizers"].as_array();
            if finalizers.is_some_and(|all| all.iter().any(|name| name == keys::FINALIZER)) {
                Verdict::Allow
            } else {
                Verdict::Deny(403, "links are kept".to_owned())
            }
        };
        let webhook = Webhook::validating(ns, &["instancelinks"], keeps).await;
        link.delete().await;
        is_reported_without_a_hot_loop(ns, &link, &webhook).await;
        assert!(ns.slices().await.is_empty(), "nothing else of it is left");
        goes_on_without(webhook, link.is_gone()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_webhook_that_denies_events_costs_a_link_its_events_alone() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let denies = |_: &Review| Verdict::Deny(403, "no events".to_owned());
        let webhook = Webhook::validating(ns, &["events"], denies).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        link.act("deactivate").await.is_accepted();
        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        let sent = webhook.reviews().len();
        assert!(sent > 0, "the webhook was asked");
        never("a denied event is sent again", Duration::from_secs(5), async || {
            let now = webhook.reviews().len();
            if now <= sent + 1 { Ok(()) } else { Err(now.to_string()) }
        })
        .await;
        webhook.lift().await;
    })
    .await;
}
