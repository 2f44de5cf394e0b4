//! Two tenants, and the NetworkPolicies of one. Mallory's link neither isolates nor opens a pod of alice that it does not
//! name, and shows nothing of alice's policies that she did not consent to.
//!
//! Rules: contract#policy-selects-target-pods-only, contract#nothing-of-others-without-consent.

use std::time::Duration;

use harness::{Link, Namespace, SHORT, eventually, idle_deployment, link_into, serving_pod, with_two_tenants};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::ListParams;
use serde_json::json;
use tokio::time::sleep;

/// Much shorter than every wait, and long enough to see what must not happen.
const A_WHILE: Duration = Duration::from_secs(2);

async fn policies_of_links(ns: &Namespace, count: usize) {
    eventually(
        &format!("{count} policies of links in {}", ns.name),
        SHORT,
        async || {
            let labelled = ListParams::default().labels("app.kubernetes.io/managed-by=instancelink");
            let found = ns.api::<NetworkPolicy>().list(&labelled).await.expect("policies").items;
            if found.len() == count {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        },
    )
    .await;
}

/// A policy of alice with a name that nobody else may learn.
async fn deny(ns: &Namespace, pods: &str) {
    ns.create_yaml(&format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: very-private}}, spec: {{podSelector: {pods}, policyTypes: [Ingress]}}}}"
    ))
    .await;
}

async fn consents(shop: &Namespace, data: &Namespace, kind: &str, name: &str, allow: &[&str]) {
    let grant = json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": "grant" },
        "spec": { "from": [{ "namespace": shop.name }], "to": [{ "kind": kind, "name": name }], "allow": allow },
    });
    data.create_object(&grant).await;
}

async fn asks(shop: &Namespace, data: &Namespace, kind: &str, name: &str) -> Link {
    let manifest = link_into(data, kind, name)
        .spec("networkPolicy", "Allow")
        .spec("ports", json!([{ "name": "http", "port": 8080 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }));
    shop.link(manifest).await
}

const BOTH: [&str; 2] = ["Endpoints", "NetworkPolicy"];

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_neither_isolates_nor_opens_a_pod_that_only_has_the_labels_of_the_target() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        deny(data, "{}").await;
        consents(shop, data, "Deployment", "pg", &BOTH).await;
        let link = asks(shop, data, "Deployment", "pg").await;
        link.reaches(Active).await;
        link.condition("Enforced", "True", "TargetIsolated").await;
        policies_of_links(data, 1).await;

        let exporter = data
            .create_object(&serving_pod(
                "exporter",
                &[("app", "pg"), ("role", "exporter")],
                "exporter",
            ))
            .await;
        policies_of_links(data, 0).await;
        let told = link.condition("Programmed", "False", "SelectsOtherPods").await;
        assert!(told.message.contains("exporter"), "{}", told.message);
        link.condition("Enforced", "False", "SelectsOtherPods").await;
        link.stays(Active).await;

        exporter
            .patch(&json!({ "metadata": { "labels": { "app": "exporter" } } }))
            .await;
        policies_of_links(data, 1).await;
        link.condition("Ready", "True", "Ready").await;
        exporter
            .patch(&json!({ "metadata": { "labels": { "app": "pg" } } }))
            .await;
        policies_of_links(data, 0).await;
        exporter.delete().await;
        policies_of_links(data, 1).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn consent_for_one_pod_opens_no_other_pod_with_its_labels() {
    with_two_tenants(async |shop, data| {
        for name in ["p1", "p2"] {
            data.create_object(&serving_pod(name, &[("app", "pg")], name)).await;
        }
        deny(data, "{}").await;
        consents(shop, data, "Pod", "p1", &BOTH).await;
        let link = asks(shop, data, "Pod", "p1").await;
        let told = link.condition("Programmed", "False", "SelectsOtherPods").await;
        assert!(told.message.contains("p2"), "{}", told.message);
        policies_of_links(data, 0).await;
        let p1 = data.object("v1", "Pod", "p1");
        p1.patch(&json!({ "metadata": { "labels": { "only": "p1" } } })).await;
        policies_of_links(data, 1).await;
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_is_withdrawn_during_a_drain_when_another_pod_gets_the_labels_of_the_target() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        deny(data, "{}").await;
        consents(shop, data, "Deployment", "pg", &BOTH).await;
        let link = asks(shop, data, "Deployment", "pg").await;
        link.reaches(Active).await;
        policies_of_links(data, 1).await;
        link.edit(json!({ "deactivation": { "drainSeconds": 600 } })).await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(instancelink_api::State::Deactivating).await;
        data.create_object(&serving_pod("exporter", &[("app", "pg")], "exporter"))
            .await;
        policies_of_links(data, 0).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn consent_to_endpoints_alone_tells_nothing_of_the_policies_of_the_other_tenant() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        consents(shop, data, "Deployment", "pg", &["Endpoints"]).await;
        let link = asks(shop, data, "Deployment", "pg").await;
        link.condition("Enforced", "False", "DNSOnly").await;
        let before = link.condition("Programmed", "False", "Forbidden").await.message;
        deny(data, "{}").await;
        data.create_object(&serving_pod("exporter", &[("app", "pg")], "exporter"))
            .await;
        sleep(A_WHILE).await;
        assert_eq!(link.condition("Programmed", "False", "Forbidden").await.message, before);
        link.condition("Enforced", "False", "DNSOnly").await;
        let events = shop.api::<Event>().list(&ListParams::default()).await.unwrap().items;
        let status = link.status().await;
        let seen = serde_json::to_string(&(&status, &events)).unwrap();
        assert!(!seen.contains("very-private") && !seen.contains("exporter"), "{seen}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_consent_no_event_tells_whether_the_target_exists() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        let link = asks(shop, data, "Deployment", "pg").await;
        link.is_not_permitted().await;
        shop.events_of(&link, "RefNotPermitted", 1).await;
        let events = shop.api::<Event>().list(&ListParams::default()).await.unwrap().items;
        let related: Vec<_> = events.iter().filter_map(|event| event.related.as_ref()).collect();
        assert!(related.is_empty(), "{related:?}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_is_cut_is_not_called_enforced() {
    with_two_tenants(async |shop, data| {
        data.create_object(&idle_deployment("pg")).await;
        deny(data, "{}").await;
        consents(shop, data, "Deployment", "pg", &BOTH).await;
        let link = asks(shop, data, "Deployment", "pg").await;
        link.condition("Enforced", "True", "TargetIsolated").await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        link.condition("Enforced", "False", "NotActive").await;
    })
    .await;
}
