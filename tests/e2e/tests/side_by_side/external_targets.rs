//! Targets that are not pods of this cluster: their addresses come from slices that others write.
//!
//! Rule: contract#endpoints-of-others.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{
    Namespace, Try, idle_deployment, in_namespace, link, link_into, reference, service_slice, serving_deployment,
    with_two_tenants,
};
use instancelink_api::State::{Activating, Active, Requested};
use serde_json::{Value, json};

const PODS_START: Duration = Duration::from_secs(90);

/// A Service without a selector. Its port is that of the pods, so that a link may lead to it by each address.
fn outside(name: &str, headless: bool) -> Value {
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "ports": [{ "name": "http", "port": 8080 }] },
    });
    if headless {
        service["spec"]["clusterIP"] = "None".into();
    }
    service
}

/// Others write this address for the Service.
async fn give(ns: &Namespace, service: &str, address: IpAddr) {
    ns.create_object(&service_slice(service, &address.to_string(), ("http", 8080)))
        .await;
}

/// The addresses of a pod that stands for a database outside the cluster.
async fn database(ns: &Namespace, name: &str) -> IpAddr {
    ns.create_object(&serving_deployment(name, name)).await;
    let addresses = ns.ready_addresses(name, 1).await;
    addresses.into_iter().next().unwrap()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_headless_service_without_a_selector_leads_to_the_addresses_that_others_write() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let (first, second) = (database(ns, "one").await, database(ns, "two").await);
        ns.create_object(&outside("pg", true)).await;
        give(ns, "pg", first).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg");
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        ns.has_addresses_in("web-links", &BTreeSet::from([first])).await;
        let client = ns.client_pod("client").await;
        let url = format!("http://db.web-links.{}.svc:8080/", ns.name);
        client.fetches(&url, "one from").await;
        let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "pg-ipv4");
        slice
            .patch(&json!({ "endpoints": [{ "addresses": [second.to_string()] }] }))
            .await;
        ns.has_addresses_in("web-links", &BTreeSet::from([second])).await;
        client.fetches(&url, "two from").await;
        slice.delete().await;
        let gone = link.condition("Available", "False", "NoReadyEndpoints").await;
        assert!(gone.message.contains("no EndpointSlice of others"), "{}", gone.message);
        link.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_cluster_ip_of_a_service_without_a_slice_is_not_available_until_others_write_one() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&outside("pg", false)).await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let none = link.condition("Available", "False", "NoReadyEndpoints").await;
        assert!(
            none.message.contains("kubernetes.io/service-name: pg"),
            "{}",
            none.message
        );
        let address = database(ns, "one").await;
        give(ns, "pg", address).await;
        link.condition("Available", "True", "EndpointsReady").await;
        let client = ns.client_pod("client").await;
        client
            .fetches(&format!("http://db.web-links.{}.svc:8080/", ns.name), "one from")
            .await;
        let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "pg-ipv4");
        slice
            .patch(&json!({ "endpoints": [{ "addresses": [address.to_string()], "conditions": { "ready": false } }] }))
            .await;
        let not_ready = link.condition("Available", "False", "NoReadyEndpoints").await;
        assert!(
            not_ready.message.contains("is ready and usable"),
            "{}",
            not_ready.message
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_endpoints_object_that_kubernetes_mirrors_counts_as_well() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let address = database(ns, "one").await;
        ns.create_object(&outside("pg", true)).await;
        let endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": "pg" },
            "subsets": [{ "addresses": [{ "ip": address }], "ports": [{ "name": "http", "port": 8080 }] }],
        });
        ns.create_object(&endpoints).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        link.condition("Available", "True", "EndpointsReady").await;
        ns.has_addresses_in("web-links", &BTreeSet::from([address])).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn addresses_of_another_namespace_need_its_consent() {
    with_two_tenants(async |shop, data| {
        let address = database(data, "one").await;
        data.create_object(&outside("outside", true)).await;
        give(data, "outside", address).await;
        let link = shop.link(link_into(data, "Service", "outside")).await;
        link.is_not_permitted().await;
        let from = json!({ "namespace": shop.name });
        let grant = data
            .grant("shop", &from, &json!({ "kind": "Service", "name": "outside" }))
            .await;
        link.reaches(Active).await;
        shop.has_addresses_in("web-links", &BTreeSet::from([address])).await;
        grant.delete().await;
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn no_request_fails_while_a_link_goes_from_a_workload_to_outside_addresses_and_back() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let first = database(ns, "one").await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        for (name, headless) in [("headless", true), ("fixed", false)] {
            ns.create_object(&outside(name, headless)).await;
            give(ns, name, first).await;
        }
        ns.ready_addresses("pg", 1).await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Deployment/pg"))
            .await;
        watch.walks_within([Requested, Activating, Active], PODS_START).await;
        let targets = ["Service/headless", "Deployment/pg", "Service/fixed", "Deployment/pg"].map(reference);
        let tries = link.loses_nothing_when_retargeted(&mut watch, &targets).await;
        let servers: BTreeSet<_> = tries.iter().map(Try::server).collect();
        assert_eq!(servers, ["one", "pg"].into(), "both targets have answered");
    })
    .await;
}
