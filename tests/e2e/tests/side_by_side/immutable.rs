//! An object of a link cannot be changed any more. It is deleted and created again when the link needs that, and a link whose
//! objects cannot be changed can be cut and deleted.
//!
//! Rules: contract#repair, contract#delete-is-not-held-up.

use std::time::Duration;

use harness::{Link, Namespace, Object, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Inactive};
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

const REPAIRED: Duration = Duration::from_secs(40);

async fn instances(ns: &Namespace) {
    for name in ["web", "pg"] {
        ns.create_object(&idle_deployment(name)).await;
    }
}

async fn active(ns: &Namespace, name: &str, alias: &str) -> Link {
    let manifest = link(name, alias, "Deployment/web", "Deployment/pg")
        .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }));
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

/// Makes the environment immutable in the moment before something else happens.
async fn frozen(ns: &Namespace) {
    let map = ns.object("v1", "ConfigMap", "web-links");
    map.patch(&json!({ "immutable": true })).await;
}

async fn has_variables(ns: &Namespace, names: &[&str]) {
    let map = ns.object("v1", "ConfigMap", "web-links");
    eventually("the environment has its variables", REPAIRED, async || {
        let data = map.find().await.map(|map| map.data["data"].clone()).unwrap_or_default();
        let has = |name: &&str| data[format!("{name}_NAME")].is_string();
        let other = |all: &Value| {
            all.as_object()
                .map_or(0, |all| all.keys().filter(|key| key.ends_with("_NAME")).count())
        };
        if names.iter().all(has) && other(&data) == names.len() {
            Ok(())
        } else {
            Err(data.to_string())
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_environment_that_became_immutable_follows_its_links_and_their_end() {
    in_namespace(async |ns| {
        instances(ns).await;
        let db = active(ns, "web-db", "db").await;
        frozen(ns).await;
        let cache = active(ns, "web-cache", "cache").await;
        has_variables(ns, &["DB", "CACHE"]).await;

        frozen(ns).await;
        db.act("deactivate").await;
        db.reaches(Inactive).await;
        has_variables(ns, &["CACHE"]).await;
        db.act("activate").await;
        db.reaches(Active).await;
        has_variables(ns, &["DB", "CACHE"]).await;

        frozen(ns).await;
        db.delete().await;
        db.is_gone().await;
        frozen(ns).await;
        cache.delete().await;
        cache.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_environment_that_is_frozen_at_once_with_the_deletion_holds_nothing() {
    in_namespace(async |ns| {
        instances(ns).await;
        let db = active(ns, "web-db", "db").await;
        let cache = active(ns, "web-cache", "cache").await;
        db.edit(json!({ "deactivation": { "drainSeconds": 5 } })).await;
        db.act("deactivate").await;
        frozen(ns).await;
        db.reaches(Inactive).await;
        has_variables(ns, &["CACHE"]).await;
        cache.condition("Ready", "True", "Ready").await;
    })
    .await;
}

/// Deletes and creates an object. The operator creates it, too: it is tried again until the manifest is the first one.
async fn replaced_before_the_operator_does(object: &Object, manifest: &Value) {
    let manifest: DynamicObject = serde_json::from_value(manifest.clone()).unwrap();
    eventually("the object is created before the operator does", REPAIRED, async || {
        object.delete().await;
        let answer = object.api.create(&PostParams::default(), &manifest).await;
        answer.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_directory_with_a_cluster_ip_is_created_again_without_one() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = active(ns, "web-db", "db").await;
        let directory = ns.object("v1", "Service", "web-links");
        let found = directory.get().await;
        let manifest = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web-links", "labels": found.metadata.labels, "annotations": found.metadata.annotations,
            },
            "spec": { "ports": [{ "port": 80 }] },
        });
        replaced_before_the_operator_does(&directory, &manifest).await;
        eventually("the directory is headless", REPAIRED, async || {
            let ip = directory
                .find()
                .await
                .map(|service| service.data["spec"]["clusterIP"].clone());
            if ip == Some(json!("None")) {
                Ok(())
            } else {
                Err(format!("{ip:?}"))
            }
        })
        .await;
        link.is_programmed_again().await;
        link.condition("Ready", "True", "Ready").await;
    })
    .await;
}
