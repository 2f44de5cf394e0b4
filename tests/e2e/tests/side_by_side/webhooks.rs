//! Mutating webhooks change the objects of a link in the operator's own writes. What they add is left alone; what they alter is
//! said, and costs at most one write a minute. So does a client that edits an object again and again.
//!
//! Rules: contract#additions, lifecycle#disputes.

use std::time::Duration;

use harness::{
    Link, Namespace, Review, Verdict, Webhook, idle_deployment, in_namespace, link, never, reaches_webhooks,
};
use instancelink_api::InstanceLink;
use instancelink_api::State::{Active, Inactive};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

const GROUP: &str = "webhooks";
const OVERLAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/overlays/binding");
/// The time until the operator notices that it may read Secrets.
const NOTICED: Duration = Duration::from_mins(1);
const TOLD: Duration = Duration::from_mins(1);
/// In the first minute the pauses between repeated writes grow.
const GROWING: Duration = Duration::from_mins(1);
/// Shorter than the longest pause, so at most one of the writes that wait a minute is in it.
const MEASURED: Duration = Duration::from_secs(55);
/// Longer than the pauses that have grown in the first seconds.
const HEALED: Duration = Duration::from_secs(40);

fn add(path: &str, value: &Value) -> Value {
    json!({ "op": "add", "path": path, "value": value })
}

/// Adds a label, an annotation, and an entry to each object.
fn adds(review: &Review) -> Verdict {
    if review.operation == "DELETE" {
        return Verdict::Allow;
    }
    let object = &review.object;
    let mut additions = Vec::new();
    for field in ["labels", "annotations"] {
        let path = format!("/metadata/{field}");
        if object["metadata"][field].is_null() {
            additions.push(add(&path, &json!({})));
        }
        additions.push(add(&format!("{path}/example.com~1team"), &json!("shop")));
    }
    if object["data"].is_object() {
        // `1`, in a Secret as base64.
        let value = if review.resource == "secrets" { "MQ==" } else { "1" };
        additions.push(add("/data/ADDED", &json!(value)));
    }
    Verdict::Patch(additions)
}

/// The kinds of the objects of the link below.
const KINDS: [(&str, &str, &str, &str); 6] = [
    ("services", "v1", "Service", "web-links"),
    ("services", "v1", "Service", "web-db-vip"),
    ("endpointslices", "discovery.k8s.io/v1", "EndpointSlice", "web-db-v4"),
    ("configmaps", "v1", "ConfigMap", "web-links"),
    ("secrets", "v1", "Secret", "web-db-binding"),
    ("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", ""),
];

/// A link with an object of each kind.
async fn link_with_all_objects(ns: &Namespace) -> Link {
    for name in ["web", "pg"] {
        ns.create_object(&idle_deployment(name)).await;
    }
    ns.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
        .await;
    ns.kubectl(&["apply", "-k", OVERLAY]).await.succeeds();
    let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
        .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }))
        .spec("networkPolicy", "Allow")
        .spec("addressing", "VirtualIP")
        .spec("outputs", json!({ "binding": { "type": "postgresql" } }));
    ns.link(manifest).await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_a_webhook_adds_to_each_object_of_a_link_is_left_alone_without_a_write() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let resources = KINDS.map(|(resource, ..)| resource);
        let webhook = Webhook::mutating(ns, &resources, adds).await;
        let link = link_with_all_objects(ns).await;
        link.reaches_within(Active, NOTICED).await;
        link.condition("Programmed", "True", "Programmed").await;
        let seen = webhook.reviews();
        for resource in resources {
            assert!(
                seen.iter().any(|r| r.resource == resource),
                "no {resource}: {}",
                shown(&seen)
            );
        }
        for (_, api, kind, name) in KINDS.iter().filter(|(.., name)| !name.is_empty()) {
            let metadata = ns.object(api, kind, name).get().await.metadata;
            assert_eq!(metadata.labels.unwrap()["example.com/team"], "shop", "{kind} {name}");
            assert_eq!(
                metadata.annotations.unwrap()["example.com/team"],
                "shop",
                "{kind} {name}"
            );
        }
        let since = Instant::now();
        never("an object is written again", Duration::from_secs(5), async || {
            let again = webhook.reviews_since(since);
            if again.is_empty() { Ok(()) } else { Err(shown(&again)) }
        })
        .await;
        link.edit(json!({ "ports": [{ "name": "pg", "port": 5433 }] })).await;
        link.until("serves the other port", |link| {
            let observed = link.status.as_ref().and_then(|status| status.observed_generation);
            observed == link.metadata.generation
        })
        .await;
        link.reaches(Active).await;
        let map = ns.object("v1", "ConfigMap", "web-links").get().await;
        assert_eq!(map.data["data"]["ADDED"], "1");
        assert_eq!(map.data["data"]["DB_PORT_5433_TCP_PORT"], "5433");
        link.act("deactivate").await.is_accepted();
        link.reaches(Inactive).await;
        link.delete().await;
        link.is_gone().await;
        webhook.lift().await;
    })
    .await;
}

/// The kinds of which a webhook alters an object, and the fields.
const ALTERED: [(&str, &str, &str); 3] = [
    (
        "Service",
        "web-links",
        "metadata.labels['app.kubernetes.io/managed-by']",
    ),
    (
        "EndpointSlice",
        "web-db-v4",
        "metadata.labels['endpointslice.kubernetes.io/managed-by']",
    ),
    ("ConfigMap", "web-links", "data['DB_NAME']"),
];

/// Alters a field in each object that the operator wrote.
fn alters(review: &Review) -> Verdict {
    let (path, value) = match (review.operation.as_str(), review.resource.as_str()) {
        ("DELETE", _) => return Verdict::Allow,
        (_, "services") => ("/metadata/labels/app.kubernetes.io~1managed-by", "helm"),
        (_, "endpointslices") => ("/metadata/labels/endpointslice.kubernetes.io~1managed-by", "other"),
        (_, "configmaps") if !review.object["data"]["DB_NAME"].is_null() => ("/data/DB_NAME", "/other"),
        _ => return Verdict::Allow,
    };
    Verdict::Patch(vec![json!({ "op": "replace", "path": path, "value": value })])
}

fn message_of(link: &InstanceLink) -> Option<&str> {
    let conditions = link.status.iter().flat_map(|status| &status.conditions);
    let mut told = conditions.filter(|c| c.type_ == "Programmed" && c.reason == "AlteredByOthers");
    told.next().map(|condition| condition.message.as_str())
}

/// Waits until the link names each object and field.
async fn names_all(ns: &Namespace, link: &Link) {
    let parts = ALTERED.map(|(kind, name, field)| [format!("{kind} {}/{name}", ns.name), field.to_owned()]);
    let names = |link: &InstanceLink| {
        message_of(link).is_some_and(|message| parts.iter().flatten().all(|part| message.contains(part)))
    };
    link.until_within("names what is altered", TOLD, names).await;
}

/// Writes of the operator, for messages.
fn shown(reviews: &[Review]) -> String {
    let first = reviews.first().map(|review| review.at);
    let lines = reviews.iter().map(|review| {
        let after = first.map(|first| review.at.duration_since(first)).unwrap_or_default();
        format!("{after:?}: {} {} {}", review.operation, review.resource, review.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails if the operator has written more than once in the time after the first minute.
async fn at_most_one_write_a_minute(webhook: &Webhook, since: Instant) {
    let from = since + GROWING;
    sleep_until(from + MEASURED).await;
    let writes = webhook.reviews_since(from);
    assert!(writes.len() <= 1, "{} writes:\n{}", writes.len(), shown(&writes));
}

const WRITTEN: [&str; 5] = [
    "services",
    "endpointslices",
    "configmaps",
    "instancelinks",
    "instancelinks/status",
];

#[tokio::test]
#[ignore = "needs a cluster"]
async fn objects_that_a_webhook_alters_are_named_and_cost_a_link_one_write_a_minute() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let webhook = Webhook::mutating(ns, &WRITTEN, alters).await;
        let began = Instant::now();
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        names_all(ns, &link).await;
        at_most_one_write_a_minute(&webhook, began).await;
        names_all(ns, &link).await;
        // The webhook still alters what is written.
        link.delete().await;
        link.is_gone().await;
        webhook.lift().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn objects_that_a_webhook_alters_are_right_soon_after_it_is_removed() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let webhook = Webhook::mutating(ns, &WRITTEN, alters).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        names_all(ns, &link).await;
        webhook.lift().await;
        link.reaches_within(Active, HEALED).await;
        link.condition("Programmed", "True", "Programmed").await;
        let map = ns.object("v1", "ConfigMap", "web-links").get().await;
        assert_eq!(map.data["data"]["DB_NAME"], "/web/db");
        let service = ns.object("v1", "Service", "web-links").get().await;
        assert_eq!(
            service.metadata.labels.unwrap()["app.kubernetes.io/managed-by"],
            "instancelink"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_client_that_edits_an_object_each_second_costs_a_link_one_write_a_minute() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        let map = ns.object("v1", "ConfigMap", "web-links");
        // It is asked after the API server has compared versions, so conflicts do not count.
        let webhook = Webhook::validating(ns, &WRITTEN, |_| Verdict::Allow).await;
        let began = Instant::now();
        let edits = async {
            for value in 0.. {
                let labels = json!({ "app.kubernetes.io/managed-by": format!("other-{value}") });
                map.patch(&json!({ "metadata": { "labels": labels } })).await;
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = edits => {}
            () = at_most_one_write_a_minute(&webhook, began) => {}
        }
        let found = link.get().await;
        let message = message_of(&found).unwrap_or_default();
        let parts = [
            "ConfigMap ",
            "/web-links",
            "metadata.labels['app.kubernetes.io/managed-by']",
        ];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        let repaired = webhook.reviews();
        assert!(
            repaired.iter().any(|review| review.resource == "configmaps"),
            "{}",
            shown(&repaired)
        );
        webhook.lift().await;
    })
    .await;
}

/// Alters a field of the status that nothing depends on.
fn alters_status(review: &Review) -> Verdict {
    if review.object["status"].is_null() {
        return Verdict::Allow;
    }
    let value = format!("altered at {:?}", review.at);
    Verdict::Patch(vec![add("/status/transitioningMessage", &json!(value))])
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_status_that_a_webhook_alters_has_an_event_and_costs_one_write_a_minute() {
    if !reaches_webhooks(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let webhook = Webhook::mutating(ns, &["instancelinks", "instancelinks/status"], alters_status).await;
        let began = Instant::now();
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let event = ns.events_of(&link, "AlteredByOthers", 1).await.remove(0);
        let note = event.note.unwrap_or_default();
        assert!(note.contains(&format!("InstanceLink {}/web-db", ns.name)), "{note}");
        at_most_one_write_a_minute(&webhook, began).await;
        // The webhook still alters what is written.
        link.delete().await;
        link.is_gone().await;
        webhook.lift().await;
    })
    .await;
}
