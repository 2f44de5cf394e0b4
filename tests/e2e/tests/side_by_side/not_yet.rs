//! A manifest that the operator cannot serve is reported. It is never ignored silently.

use std::time::Duration;

use harness::{LinkManifest, Namespace, in_namespace, link, serving_deployment};
use instancelink_api::State::{Activating, Active, Requested, UpdatingActive};
use instancelink_api::status::Transitioning;
use serde_json::json;

/// A link with a manifest that a user must fix: it stays in activating, with an error that says what to do.
async fn waits_until_mended(manifest: LinkManifest, condition: (&str, &str), mended: serde_json::Value) {
    in_namespace(async |ns| {
        prepare(ns).await;
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating]).await;
        let found = link.condition(condition.0, "False", condition.1).await;
        assert!(!found.message.is_empty());
        link.condition("Stalled", "True", "").await;
        let status = link.status().await;
        assert_eq!(status.transitioning, Transitioning::Error);
        assert!(status.transitioning_message.is_some());
        watch.rests().await;
        link.edit(mended).await;
        watch.walks([Active]).await;
        link.condition("Ready", "True", "").await;
    })
    .await;
}

async fn prepare(ns: &Namespace) {
    ns.web_and_two_databases().await;
    ns.create_yaml("{apiVersion: v1, kind: Service, metadata: {name: elsewhere}, spec: {type: ExternalName, externalName: db.example.com}}").await;
    ns.create_yaml(
        "{apiVersion: v1, kind: Service, metadata: {name: headless}, spec: {clusterIP: None, ports: [{port: 5432}]}}",
    )
    .await;
}

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_of_type_external_name_is_not_supported() {
    let mended = json!({ "targetInstanceRef": { "kind": "Service", "name": "pg" } });
    waits_until_mended(
        web_db("Service/elsewhere"),
        ("ResolvedRefs", "KindNotSupported"),
        mended,
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_headless_service_has_no_service_ip() {
    let manifest = web_db("Service/headless").spec("addressing", "ServiceIP");
    let mended = json!({ "targetInstanceRef": { "kind": "Service", "name": "pg" } });
    waits_until_mended(manifest, ("Accepted", "AddressingNotPossible"), mended).await;
}

/// An edit that cannot be served changes nothing until the next edit.
async fn keeps_answering(ns: &Namespace, old_target: &str) {
    let manifest = web_db(old_target).spec("activation", json!({ "targetWaitSeconds": 120 }));
    let (link, mut watch) = ns.watched_link(manifest).await;
    watch
        .walks_within([Requested, Activating, Active], Duration::from_secs(90))
        .await;
    let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4");
    let before = slice.get().await.data["endpoints"].clone();
    link.retarget("Service/elsewhere").await;
    watch.walks([UpdatingActive]).await;
    link.condition("ResolvedRefs", "False", "KindNotSupported").await;
    watch.rests().await;
    assert_eq!(slice.get().await.data["endpoints"], before);
    link.retarget("Service/pg2").await;
    watch.walks([Active]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_to_a_service_whose_edit_cannot_be_served_answers_as_before() {
    in_namespace(async |ns| {
        prepare(ns).await;
        keeps_answering(ns, "Service/pg").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_to_pods_whose_edit_cannot_be_served_answers_as_before() {
    in_namespace(async |ns| {
        prepare(ns).await;
        ns.create_object(&serving_deployment("db", "db")).await;
        keeps_answering(ns, "Deployment/db").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_alias_too_long_for_the_ports_of_its_target_is_reported() {
    in_namespace(async |ns| {
        prepare(ns).await;
        ns.create_yaml(
            "{apiVersion: v1, kind: Service, metadata: {name: two}, \
             spec: {ports: [{name: a, port: 1}, {name: b, port: 2}]}}",
        )
        .await;
        let alias = "a".repeat(47);
        let (link, mut watch) = ns
            .watched_link(link("web-db", &alias, "Deployment/web", "Service/two"))
            .await;
        watch.walks([Requested, Activating]).await;
        let condition = link.condition("Accepted", "False", "InvalidPorts").await;
        assert!(condition.message.contains("46"), "{}", condition.message);
        link.edit(json!({ "ports": [{ "name": "a", "port": 1 }] })).await;
        watch.walks([Active]).await;
    })
    .await;
}
