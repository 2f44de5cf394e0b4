//! Labels and annotations from `spec.infrastructure` are on each object of a link, and go with their entries.
//!
//! Rule: contract#infrastructure.

use std::time::Duration;

use harness::{Hold, Link, Namespace, Object, Reader, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Inactive};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);

fn objects(ns: &Namespace) -> Vec<Object> {
    let slice = "discovery.k8s.io/v1";
    vec![
        ns.object("v1", "Service", "web-links"),
        ns.object("v1", "Service", "web-db-vip"),
        ns.object("v1", "ConfigMap", "web-links"),
        ns.object(slice, "EndpointSlice", "web-db-v4"),
        ns.object(slice, "EndpointSlice", "web-db-vip4"),
    ]
}

async fn active(ns: &Namespace, infrastructure: Value) -> Link {
    for name in ["web", "pg"] {
        ns.create_object(&idle_deployment(name)).await;
    }
    let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
        .spec("addressing", "VirtualIP")
        .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }))
        .spec("infrastructure", infrastructure);
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

/// Waits until each object has this value at this path of its metadata; null is absent.
async fn each_has(ns: &Namespace, path: &str, value: &Value) {
    for object in objects(ns) {
        eventually(&format!("{} has {value} at {path}", object.name), SOON, async || {
            let found = serde_json::to_value(object.get().await.metadata).unwrap();
            let found = found.pointer(path).cloned().unwrap_or_default();
            if found == *value {
                Ok(())
            } else {
                Err(found.to_string())
            }
        })
        .await;
    }
}

async fn generations(ns: &Namespace) -> Vec<Option<String>> {
    let mut all = Vec::new();
    for object in objects(ns) {
        all.push(object.get().await.metadata.resource_version);
    }
    all
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn labels_and_annotations_of_a_link_are_on_each_of_its_objects_and_follow_it() {
    in_namespace(async |ns| {
        let wanted =
            json!({ "labels": { "team": "shop", "cost": "x" }, "annotations": { "example.com/note": "one, two" } });
        let link = active(ns, wanted).await;
        each_has(ns, "/labels/team", &json!("shop")).await;
        each_has(ns, "/annotations/example.com~1note", &json!("one, two")).await;
        link.edit(json!({ "infrastructure": { "labels": { "team": "other", "cost": null } } }))
            .await;
        each_has(ns, "/labels/team", &json!("other")).await;
        each_has(ns, "/labels/cost", &Value::Null).await;
        link.stays(Active).await;
        let before = generations(ns).await;
        link.edit(json!({ "description": "the database" })).await;
        link.condition("Ready", "True", "").await;
        assert_eq!(generations(ns).await, before, "nothing is written that is so");
        link.edit(json!({ "infrastructure": null })).await;
        each_has(ns, "/labels/team", &Value::Null).await;
        each_has(ns, "/annotations/example.com~1note", &Value::Null).await;
        link.condition("Ready", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn objects_that_links_share_have_the_labels_of_all_of_them_and_a_link_that_is_cut_takes_its_own_along() {
    in_namespace(async |ns| {
        active(ns, json!({ "labels": { "team": "shop", "first": "x" } })).await;
        let manifest = link("web-cache", "cache", "Deployment/web", "Deployment/pg")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
            .spec("activation", json!({ "targetWaitSeconds": 0 }))
            .spec(
                "infrastructure",
                json!({ "labels": { "team": "other", "second": "y" } }),
            );
        ns.next_second().await;
        let second = ns.link(manifest).await;
        second.reaches(Active).await;
        let labels = async |expected: [Value; 3]| {
            for (api, kind) in [("v1", "Service"), ("v1", "ConfigMap")] {
                let object = ns.object(api, kind, "web-links");
                eventually(&format!("{kind} has {expected:?}"), SOON, async || {
                    let found = serde_json::to_value(object.get().await.metadata.labels).unwrap();
                    let found = ["team", "first", "second"].map(|key| found[key].clone());
                    if found == expected {
                        Ok(())
                    } else {
                        Err(format!("{found:?}"))
                    }
                })
                .await;
            }
        };
        labels([json!("shop"), json!("x"), json!("y")]).await;
        let told = second.condition("Programmed", "True", "OlderLinkDecides").await.message;
        assert!(told.contains("label team"), "{told}");
        // As the message says: the same values.
        let author = Reader::author(ns).await;
        author.edits(&told, "team: other", "team: shop").await;
        second.condition("Programmed", "True", "Programmed").await;
        second.act("deactivate").await.is_accepted();
        second.reaches(Inactive).await;
        labels([json!("shop"), json!("x"), Value::Null]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_a_policy_refuses_for_a_missing_label_goes_on_with_the_label() {
    in_namespace(async |ns| {
        let _hold = Hold::unlabelled(ns, "services", "team").await;
        ns.web_and_two_databases().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let told = link.condition("Programmed", "False", "AdmissionDenied").await.message;
        assert!(told.contains("spec.infrastructure"), "{told}");
        let author = Reader::author(ns).await;
        author
            .sets(&link, &json!({ "infrastructure": { "labels": { "team": "shop" } } }))
            .await;
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn reserved_and_malformed_keys_are_refused_with_what_to_write_instead() {
    in_namespace(async |ns| {
        for (field, key, says) in [
            (
                "labels",
                "app.kubernetes.io/managed-by",
                "are reserved; write another key",
            ),
            (
                "labels",
                "kubernetes.io/service-name",
                "are reserved; write another key",
            ),
            (
                "labels",
                "endpointslice.kubernetes.io/managed-by",
                "are reserved; write another key",
            ),
            (
                "annotations",
                "instancelink.dev/link",
                "are reserved; write another key",
            ),
            ("annotations", "the note", "a key of a label is a name"),
        ] {
            let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
                .spec("infrastructure", json!({ field: { key: "x" } }));
            let answer = ns.kubectl_with(&["apply", "-f", "-"], &manifest.to_yaml()).await;
            answer.is_refused_with(&[says]);
        }
    })
    .await;
}
