//! A target whose object is replaced while its pods serve, as one does to change an immutable field: the endpoints are serving
//! pods, and not the object.
//!
//! Rule: contract#kept-endpoints.

use std::time::Duration;

use harness::{
    Client, Link, LinkManifest, Namespace, Object, eventually, idle_deployment, in_namespace, link, serving_deployment,
    serving_set,
};
use instancelink_api::State::Active;
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::{Value, json};

const PODS_START: Duration = Duration::from_secs(90);

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 120 }))
}

/// An active link of `web` to a target with two pods, and a client.
async fn web_uses(ns: &Namespace, target: &Value, link: LinkManifest) -> (Object, Link, Client) {
    ns.create_object(&idle_deployment("web")).await;
    let mut target = target.clone();
    target["spec"]["replicas"] = 2.into();
    let object = ns.create_object(&target).await;
    let client = ns.client_pod("client").await;
    let pods = ns.ready_addresses("pg", 2).await;
    let link = ns.link(link).await;
    link.reaches_within(Active, PODS_START).await;
    ns.has_addresses_in("web-links", &pods).await;
    (object, link, client)
}

async fn orphans(object: &Object) {
    object.delete_with(&DeleteParams::orphan()).await;
    eventually("the object is gone", Duration::from_secs(30), async || {
        object
            .find()
            .await
            .map_or(Ok(()), |_| Err("it still exists".to_owned()))
    })
    .await;
}

/// No request fails while something happens.
async fn loses_nothing(ns: &Namespace, client: &Client, happens: impl AsyncFnOnce()) {
    let url = format!("http://db.web-links.{}.svc:8080/", ns.name);
    client.fetches(&url, "pg from").await;
    let poll = client.poll(&url, Duration::from_millis(50), 200);
    happens().await;
    poll.loses_nothing().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_stateful_set_is_deleted_without_its_pods_and_applied_again_and_no_request_fails() {
    in_namespace(async |ns| {
        let manifest = serving_set("StatefulSet", "pg", "pg");
        let (object, link, client) = web_uses(ns, &manifest, web_db("StatefulSet/pg")).await;
        let pods = ns.ready_addresses("pg", 2).await;
        loses_nothing(ns, &client, async || {
            orphans(&object).await;
            link.condition("ResolvedRefs", "False", "TargetNotFound").await;
            link.condition("Available", "True", "EndpointsReady").await;
            ns.has_addresses_in("web-links", &pods).await;
            let mut again = manifest.clone();
            again["spec"]["replicas"] = 2.into();
            again["spec"]["serviceName"] = "other".into();
            ns.create_object(&again).await;
            link.condition("ResolvedRefs", "True", "Resolved").await;
        })
        .await;
        ns.has_addresses_in("web-links", &pods).await;
        link.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deployment_and_then_its_replica_set_are_deleted_without_their_pods_and_no_request_fails() {
    in_namespace(async |ns| {
        let manifest = serving_deployment("pg", "pg");
        let (object, link, client) = web_uses(ns, &manifest, web_db("Deployment/pg")).await;
        let pods = ns.ready_addresses("pg", 2).await;
        let set = ns.pods_of("pg").await[0].owner_references()[0].name.clone();
        let set = ns.object("apps/v1", "ReplicaSet", &set);
        loses_nothing(ns, &client, async || {
            orphans(&object).await;
            link.condition("ResolvedRefs", "False", "TargetNotFound").await;
            orphans(&set).await;
            ns.has_addresses_in("web-links", &pods).await;
            let mut again = manifest.clone();
            again["spec"]["replicas"] = 2.into();
            ns.create_object(&again).await;
            link.condition("ResolvedRefs", "True", "Resolved").await;
        })
        .await;
        ns.has_addresses_in("web-links", &pods).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_is_replaced_by_another_object_and_no_request_to_its_pods_fails() {
    in_namespace(async |ns| {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
            "spec": { "clusterIP": "None", "selector": { "app": "pg" }, "ports": [{ "port": 8080 }] },
        });
        let object = ns.create_object(&service).await;
        let (_, link, client) = web_uses(ns, &serving_deployment("pg", "pg"), web_db("Service/pg")).await;
        let pods = ns.ready_addresses("pg", 2).await;
        loses_nothing(ns, &client, async || {
            object.delete().await;
            link.condition("ResolvedRefs", "False", "TargetNotFound").await;
            ns.has_addresses_in("web-links", &pods).await;
            // The pods are followed while there is no Service.
            let pod = ns.pods_of("pg").await.remove(0);
            ns.set_ready(&pod, false).await;
            ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 1).await)
                .await;
            ns.create_object(&service).await;
            link.condition("ResolvedRefs", "True", "Resolved").await;
            ns.set_ready(&pod, true).await;
        })
        .await;
        ns.has_addresses_in("web-links", &pods).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn of_pods_without_their_owner_those_that_another_workload_takes_leave_and_none_joins() {
    in_namespace(async |ns| {
        let manifest = serving_set("StatefulSet", "pg", "pg");
        let (object, link, _) = web_uses(ns, &manifest, web_db("StatefulSet/pg")).await;
        let pods = ns.ready_addresses("pg", 2).await;
        orphans(&object).await;
        link.condition("ResolvedRefs", "False", "TargetNotFound").await;
        let bare = harness::serving_pod("bare", &[("app", "pg")], "bare");
        ns.create_object(&bare).await;
        ns.ready_addresses("pg", 3).await;
        ns.has_addresses_in("web-links", &pods).await;

        let mut thief = serving_set("ReplicaSet", "thief", "thief");
        thief["spec"]["replicas"] = 3.into();
        thief["spec"]["selector"] = json!({ "matchLabels": { "app": "pg" } });
        thief["spec"]["template"]["metadata"]["labels"] = json!({ "app": "pg" });
        ns.create_object(&thief).await;
        ns.has_addresses_in("web-links", &[].into()).await;
        link.condition("Available", "False", "TargetNotFound").await;
    })
    .await;
}
