//! Another client sets fields of a link's objects that the operator leaves to their defaults, or holds objects with a
//! finalizer. The operator repairs what changes how clients are served, and reports what it must wait for.
//!
//! Rules: contract#repair, contract#binding-of-a-binding, lifecycle#finalizers-of-others.

use std::time::Duration;

use harness::{Namespace, Object, Reader, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Purging};
use instancelink_api::status::Transitioning;
use serde_json::{Value, json};

const REPAIRED: Duration = Duration::from_secs(40);

async fn instances(ns: &Namespace) {
    for name in ["web", "pg"] {
        ns.create_object(&idle_deployment(name)).await;
    }
}

/// Sets this in an object, and waits until it is as it was.
async fn is_taken_back(object: &Object, damage: &Value, fields: &[&str]) {
    let content = async || {
        // It may be gone for a moment, before it is created again.
        let found = object.find().await?;
        let values = fields.iter().map(|field| found.data.pointer(field).cloned());
        Some(values.collect::<Vec<_>>())
    };
    let before = content().await;
    object.patch(damage).await;
    eventually(&format!("{damage} is taken back"), REPAIRED, async || {
        let now = content().await;
        if now == before {
            Ok(())
        } else {
            Err(format!("{now:?}, was {before:?}"))
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_others_set_on_a_virtual_ip_is_taken_back() {
    in_namespace(async |ns| {
        instances(ns).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("addressing", "VirtualIP")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        for service in ["web-db-vip", "web-links"] {
            let object = ns.object("v1", "Service", service);
            for (field, value) in [
                ("internalTrafficPolicy", json!("Local")),
                ("sessionAffinity", json!("ClientIP")),
                ("publishNotReadyAddresses", json!(true)),
                ("trafficDistribution", json!("PreferClose")),
            ] {
                let damage = json!({ "spec": { field: value } });
                is_taken_back(&object, &damage, &[&format!("/spec/{field}")]).await;
            }
        }
        let vip = ns.object("v1", "Service", "web-db-vip");
        let address = vip.get().await.data["spec"]["clusterIP"].clone();
        is_taken_back(&vip, &json!({ "spec": { "type": "NodePort" } }), &["/spec/type"]).await;
        assert_eq!(vip.get().await.data["spec"]["clusterIP"], address);
        let map = ns.object("v1", "ConfigMap", "web-links");
        is_taken_back(&map, &json!({ "immutable": true }), &["/immutable", "/data"]).await;
        link.is_programmed_again().await;
        link.condition("Ready", "True", "Ready").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_the_finalizer_of_another_client_keeps_says_error_and_which() {
    in_namespace(async |ns| {
        instances(ns).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let finalizers = json!({ "metadata": { "finalizers": ["instancelink.dev/lifecycle", "example.com/keep"] } });
        link.patch(&finalizers).await;
        link.delete().await;
        link.reaches(Purging).await;
        let told = link
            .until_within("says error", REPAIRED, |link| {
                link.status
                    .as_ref()
                    .is_some_and(|status| status.transitioning == Transitioning::Error)
            })
            .await;
        let message = told.status.unwrap().transitioning_message.unwrap_or_default();
        assert!(message.contains("example.com/keep"), "{message}");
        link.condition("Stalled", "True", "FinalizersRemain").await;
        Reader::author(ns).await.runs(&message).await;
        link.is_gone().await;
    })
    .await;
}
