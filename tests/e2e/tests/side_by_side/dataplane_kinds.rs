//! Every kind of source and target, and both ways to address a Service.
//!
//! Rules: contract#spec-instance-ref, contract#endpoints-of-services.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{idle_deployment, in_namespace, link, serving_deployment, serving_pod, serving_set};
use instancelink_api::State::{Activating, Active, Requested, UpdatingActive};
use serde_json::{Value, json};

const PODS_START: Duration = Duration::from_secs(90);

async fn leads_to_the_pods_of(target: Value) {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&target).await;
        let kind = target["kind"].as_str().unwrap();
        let manifest = link("web-db", "db", "Deployment/web", &format!("{kind}/pg"))
            .spec("activation", json!({ "targetWaitSeconds": 120 }));
        let link = ns.link(manifest).await;
        link.reaches_within(Active, PODS_START).await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 1).await)
            .await;
        let uid = ns
            .object(target["apiVersion"].as_str().unwrap(), kind, "pg")
            .get()
            .await
            .metadata
            .uid;
        assert_eq!(link.status().await.target_instance_id, uid);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_stateful_set_is_a_target() {
    leads_to_the_pods_of(serving_set("StatefulSet", "pg", "pg")).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_daemon_set_is_a_target() {
    leads_to_the_pods_of(serving_set("DaemonSet", "pg", "pg")).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_replica_set_is_a_target() {
    leads_to_the_pods_of(serving_set("ReplicaSet", "pg", "pg")).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_is_a_target() {
    leads_to_the_pods_of(serving_pod("pg", &[("app", "pg")], "pg")).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn sources_of_every_kind_get_a_directory_that_names_them() {
    in_namespace(async |ns| {
        ns.fixed_service("pg").await;
        for kind in ["StatefulSet", "DaemonSet", "ReplicaSet", "Pod"] {
            let name = kind.to_lowercase();
            let source = if kind == "Pod" {
                serving_pod(&name, &[], "x")
            } else {
                serving_set(kind, &name, "x")
            };
            let source = ns.create_object(&source).await;
            let link = ns
                .link(link(&name, "db", &format!("{kind}/{name}"), "Service/pg"))
                .await;
            link.reaches(Active).await;
            let uid = source.get().await.metadata.uid;
            assert_eq!(link.status().await.instance_id, uid);
            let directory = ns.object("v1", "Service", &format!("{name}-links")).get().await;
            assert_eq!(directory.metadata.owner_references, None);
            let (labels, annotations) = (
                directory.metadata.labels.unwrap(),
                directory.metadata.annotations.unwrap(),
            );
            assert_eq!(labels.get("instancelink.dev/source-uid"), uid.as_ref());
            assert_eq!(annotations["instancelink.dev/source"], format!("{kind}/{name}"));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_is_reached_by_its_cluster_ip_and_available_when_a_pod_behind_it_is_ready() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
            "spec": { "selector": { "app": "pg" }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
        });
        let service = ns.create_object(&service).await.get().await;
        let ip = BTreeSet::from([service.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap()]);
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
            .spec("activation", json!({ "targetWaitSeconds": 120 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        let client = ns.client_pod("client").await;
        watch.walks_within([Requested, Activating, Active], PODS_START).await;
        ns.has_addresses_in("web-links", &ip).await;
        client.resolves_to("db.web-links", &ip).await;
        client
            .fetches(&format!("http://db.web-links.{}.svc/", ns.name), "pg from pg-")
            .await;
        ns.scale("pg", 0).await;
        link.condition("Available", "False", "NoReadyEndpoints").await;
        client
            .resolves_to(&format!("db.web-links.{}.svc.cluster.local", ns.name), &ip)
            .await;
        ns.scale("pg", 1).await;
        link.until_within("is available again", PODS_START, |l| {
            l.status
                .as_ref()
                .unwrap()
                .conditions
                .iter()
                .any(|c| c.type_ == "Available" && c.status == "True")
        })
        .await;
        // When its pods are addressed, the port is that of the pods.
        link.edit(json!({ "addressing": "PodIP" })).await;
        watch.walks([UpdatingActive, Active]).await;
        client
            .resolves_to("db.web-links", &ns.ready_addresses("pg", 1).await)
            .await;
        client
            .fetches(&format!("http://db.web-links.{}.svc:8080/", ns.name), "pg from pg-")
            .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_headless_service_leads_to_its_pods() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
            "spec": {
                "clusterIP": "None", "selector": { "app": "pg" },
                "ports": [{ "name": "http", "port": 80, "targetPort": "http" }],
            },
        });
        ns.create_object(&service).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
            .spec("activation", json!({ "targetWaitSeconds": 120 }));
        ns.link(manifest).await.reaches_within(Active, PODS_START).await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 1).await)
            .await;
        // The port is that of the pods, not of the Service.
        let slice = ns
            .object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4")
            .get()
            .await;
        assert_eq!(slice.data["ports"][0]["port"], 8080);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn slices_carry_the_alias_the_ports_and_where_each_pod_runs() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let mut pg = serving_deployment("pg", "pg");
        pg["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([
            { "name": "http", "containerPort": 8080 }, { "containerPort": 9000, "protocol": "UDP" },
        ]);
        ns.create_object(&pg).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 120 }));
        let link = ns.link(manifest).await;
        link.reaches_within(Active, PODS_START).await;
        let pod = ns.pods_of("pg").await.remove(0);
        let slice = ns
            .object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4")
            .get()
            .await;
        let labels = slice.metadata.labels.clone().unwrap();
        for (key, value) in [
            ("app.kubernetes.io/managed-by", "instancelink"),
            ("endpointslice.kubernetes.io/managed-by", "instancelink.dev"),
            ("kubernetes.io/service-name", "web-links"),
            ("service.kubernetes.io/headless", ""),
            ("instancelink.dev/link-uid", link.uid().await.as_str()),
        ] {
            assert_eq!(labels.get(key).map(String::as_str), Some(value), "{key}");
        }
        let ports: BTreeSet<(String, i64, String)> = slice.data["ports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                (
                    p["name"].as_str().unwrap().into(),
                    p["port"].as_i64().unwrap(),
                    p["protocol"].as_str().unwrap().into(),
                )
            })
            .collect();
        assert_eq!(
            ports,
            BTreeSet::from([
                ("db".into(), 8080, "TCP".into()),
                ("db--p9000-udp".into(), 9000, "UDP".into())
            ])
        );
        let endpoint = &slice.data["endpoints"][0];
        assert_eq!(endpoint["hostname"], "db");
        assert_eq!(endpoint["targetRef"]["kind"], "Pod");
        assert_eq!(endpoint["targetRef"]["name"].as_str(), pod.metadata.name.as_deref());
        assert_eq!(endpoint["targetRef"]["uid"].as_str(), pod.metadata.uid.as_deref());
        assert_eq!(endpoint["nodeName"].as_str(), pod.spec.unwrap().node_name.as_deref());
    })
    .await;
}
