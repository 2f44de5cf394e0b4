//! People and controllers add to the objects of a link: labels, annotations, finalizers, data. What they add stays when the
//! operator changes these objects for another reason.
//!
//! Rule: contract#additions.

use std::time::Duration;

use harness::{Link, Namespace, Object, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Inactive, Removed};
use kube::api::DynamicObject;
use serde_json::{Value, json};

const WRITTEN: Duration = Duration::from_mins(1);

async fn instances(ns: &Namespace) {
    for name in ["web", "pg", "redis"] {
        ns.create_object(&idle_deployment(name)).await;
    }
}

/// An active link of `web` with a virtual IP.
async fn active(ns: &Namespace, alias: &str, target: &str) -> Link {
    let manifest = link(&format!("web-{alias}"), alias, "Deployment/web", target)
        .spec("ports", json!([{ "name": "main", "port": 5432 }]))
        .spec("addressing", "VirtualIP")
        .spec("activation", json!({ "targetWaitSeconds": 0 }));
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

/// The objects of the link `web-db`.
fn children(ns: &Namespace) -> [Object; 5] {
    [
        ns.object("v1", "Service", "web-links"),
        ns.object("v1", "Service", "web-db-vip"),
        ns.object("v1", "ConfigMap", "web-links"),
        ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4"),
        ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-vip4"),
    ]
}

fn additions() -> Value {
    json!({ "metadata": {
        "labels": { "team": "shop" },
        "annotations": { "example.com/note": "x" },
    } })
}

/// True if all of one value is in the other one.
fn is_in(part: &Value, whole: &Value) -> bool {
    match part {
        Value::Object(part) => part.iter().all(|(name, part)| is_in(part, &whole[name])),
        _ => part == whole,
    }
}

async fn has(object: &Object, part: &Value) {
    let found = serde_json::to_value(object.get().await).unwrap();
    assert!(is_in(part, &found), "{part} is not in {found}");
}

/// Waits until the object is as it should be.
async fn becomes(object: &Object, what: &str, is_right: impl Fn(&DynamicObject) -> bool) {
    eventually(&format!("{} has {what}", object.name), WRITTEN, async || {
        let found = object.get().await;
        if is_right(&found) {
            Ok(())
        } else {
            Err(serde_json::to_string(&found).unwrap())
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn labels_annotations_and_data_of_others_survive_each_change_of_a_link() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = active(ns, "db", "Deployment/pg").await;
        active(ns, "cache", "Deployment/redis").await;
        let [directory, vip, map, slice, vip_slice] = &children(ns);
        let all = [directory, vip, map, slice, vip_slice];
        for object in all {
            object.patch(&additions()).await;
        }
        let of_map = json!({ "data": { "THEIRS": "x" }, "binaryData": { "bytes": "eA==" } });
        map.patch(&of_map).await;

        ns.scale("pg", 2).await;
        let pods = ns.ready_addresses("pg", 2).await;
        becomes(vip_slice, "two endpoints", |slice| {
            slice.data["endpoints"]
                .as_array()
                .is_some_and(|endpoints| endpoints.len() == pods.iter().filter(|pod| pod.is_ipv4()).count())
        })
        .await;
        has(vip_slice, &additions()).await;

        link.edit(json!({ "ports": [{ "name": "main", "port": 5433 }] })).await;
        becomes(map, "the new port", |map| {
            map.data["data"]["DB_PORT_5433_TCP_PORT"] == "5433"
        })
        .await;
        becomes(vip, "the new port", |vip| vip.data["spec"]["ports"][0]["port"] == 5433).await;
        becomes(slice, "the new port", |slice| slice.data["ports"][0]["port"] == 5433).await;
        assert_eq!(map.get().await.data["data"].get("DB_PORT_5432_TCP_PORT"), None);

        link.edit(json!({ "infrastructure": { "labels": { "cost": "a" } } }))
            .await;
        becomes(directory, "the label of the link", |service| {
            service
                .metadata
                .labels
                .as_ref()
                .is_some_and(|labels| labels.get("cost").is_some_and(|cost| cost == "a"))
        })
        .await;
        link.edit(json!({ "infrastructure": null })).await;
        becomes(directory, "no label of the link", |service| {
            service
                .metadata
                .labels
                .as_ref()
                .is_some_and(|labels| !labels.contains_key("cost"))
        })
        .await;
        for object in all {
            has(object, &additions()).await;
        }
        has(map, &of_map).await;

        // The virtual IP lives until the link is removed, and the objects of the source as long as one of its links needs them.
        link.act("deactivate").await;
        link.reaches(Inactive).await;
        has(vip, &additions()).await;
        link.act("remove").await;
        link.reaches(Removed).await;
        link.act("restore").await;
        link.reaches(Inactive).await;
        link.act("activate").await;
        link.reaches(Active).await;
        for object in [directory, map] {
            has(object, &additions()).await;
        }
        has(map, &of_map).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_finalizer_of_others_survives_the_writes_before_the_deletion() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = active(ns, "db", "Deployment/pg").await;
        let map = ns.object("v1", "ConfigMap", "web-links");
        let kept = json!({ "metadata": { "finalizers": ["example.com/keep"] } });
        map.patch(&kept).await;
        link.edit(json!({ "ports": [{ "name": "main", "port": 5433 }] })).await;
        becomes(&map, "the new port", |map| {
            map.data["data"]["DB_PORT_5433_TCP_PORT"] == "5433"
        })
        .await;
        has(&map, &kept).await;
        map.strip_finalizers().await;
        link.delete().await;
        link.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_label_that_another_manager_applies_to_a_service_of_a_link_stays_its_own() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = active(ns, "db", "Deployment/pg").await;
        let apply = ["apply", "--server-side", "--field-manager=platform", "-f", "-"];
        let manifest = |team: &str| {
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: web-db-vip, labels: {{team: {team}}}}}}}")
        };
        ns.kubectl_with(&apply, &manifest("shop")).await.succeeds();
        link.edit(json!({ "ports": [{ "name": "main", "port": 5433 }] })).await;
        let vip = ns.object("v1", "Service", "web-db-vip");
        becomes(&vip, "the new port", |vip| vip.data["spec"]["ports"][0]["port"] == 5433).await;
        has(&vip, &json!({ "metadata": { "labels": { "team": "shop" } } })).await;
        // Nothing of it belongs to the operator: it can be changed and taken away without force.
        ns.kubectl_with(&apply, &manifest("payments")).await.succeeds();
        has(&vip, &json!({ "metadata": { "labels": { "team": "payments" } } })).await;
        link.condition("Programmed", "True", "Programmed").await;
    })
    .await;
}
