//! Packets into another namespace: they get in with its consent to NetworkPolicies, and only from the source.
//!
//! Rules: contract#network-policy, contract#revoked-consent.

use harness::{Namespace, enforces_policies, in_namespace, link, serving_deployment};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

const GROUP: &str = "packets_consent";

/// Isolated pods `pg`, with consent to all that a link can ask for.
async fn consenting_target(data: &Namespace, from: &Namespace) {
    data.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
        .await;
    data.create_object(&serving_deployment("pg", "pg")).await;
    data.create_object(&json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": "grant" },
        "spec": {
            "from": [{ "namespace": from.name }], "to": [{ "kind": "Deployment", "name": "pg" }],
            "allow": ["Endpoints", "NetworkPolicy"],
        },
    }))
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_gets_into_another_namespace_only_as_long_as_it_consents_and_no_namesake_does() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        in_namespace(async |data| {
            consenting_target(data, ns).await;
            // It has the labels of the source, in the namespace of the target.
            let (web, namesake) = tokio::join!(ns.source("web"), data.client_pod("web"));
            let urls = data.urls_of("pg", 8080).await;
            for url in &urls {
                web.is_shut_out(url).await;
                namesake.is_shut_out(url).await;
            }
            let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
                .spec("networkPolicy", "Allow")
                .spec("ports", json!([{ "name": "http", "port": 8080 }]))
                .spec(
                    "targetInstanceRef",
                    json!({ "kind": "Deployment", "name": "pg", "namespace": data.name }),
                );
            let link = ns.link(manifest).await;
            link.reaches(Active).await;
            for url in &urls {
                web.fetches(url, "pg from").await;
                namesake.is_shut_out(url).await;
            }

            let grant = data.object("instancelink.dev/v1alpha1", "InstanceLinkGrant", "grant");
            grant.patch(&json!({ "spec": { "allow": ["Endpoints"] } })).await;
            for url in &urls {
                web.is_shut_out(url).await;
            }
            grant
                .patch(&json!({ "spec": { "allow": ["Endpoints", "NetworkPolicy"] } }))
                .await;
            for url in &urls {
                web.fetches(url, "pg from").await;
            }
            grant.delete().await;
            link.reaches(Inactive).await;
            for url in &urls {
                web.is_shut_out(url).await;
            }
        })
        .await;
    })
    .await;
}
