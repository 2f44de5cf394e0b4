//! The name of an alias with a fixed address: it resolves as long as the link is active, whether a pod is ready or not, so that
//! a proxy that resolves its backends at start does start. Connections are refused while no pod is ready.
//!
//! Rule: contract#fixed-names.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{
    Client, LinkManifest, Namespace, SHORT, eventually, idle_deployment, in_namespace, link, serving_deployment,
};
use instancelink_api::State::Active;
use serde_json::json;

const PODS_START: Duration = Duration::from_secs(90);

/// A link that does not wait for its target.
fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 0 }))
}

fn by_virtual_ip(target: &str) -> LinkManifest {
    web_db(target)
        .spec("addressing", "VirtualIP")
        .spec("ports", json!([{ "name": "http", "port": 8080 }]))
}

/// `web`, and `pg` without pods.
async fn web_and_sleeping_pg(ns: &Namespace) {
    ns.create_object(&idle_deployment("web")).await;
    let mut pg = serving_deployment("pg", "pg");
    pg["spec"]["replicas"] = 0.into();
    ns.create_object(&pg).await;
}

fn name(ns: &Namespace) -> String {
    format!("db.web-links.{}.svc.cluster.local", ns.name)
}

/// The name has these addresses alone, one of each family, and connections to them are refused. A refusal by IPv6 arrives
/// only with the second packet, after a second.
async fn refuses(ns: &Namespace, client: &Client, addresses: &BTreeSet<IpAddr>) {
    client.resolves_to(&name(ns), addresses).await;
    for address in addresses {
        let url = harness::url(address, 8080);
        let is_refused = async || {
            let (ok, printed) = client.run(&["get", &url, "--timeout-ms", "3000"]).await;
            (!ok && printed.contains("refused")).then_some(()).ok_or(printed)
        };
        // kube-proxy follows the same pods by itself, maybe a little later.
        eventually(&format!("{url} refuses connections"), SHORT, is_refused).await;
        let tries = if address.is_ipv4() { 20 } else { 2 };
        // The node limits how many refusals it sends, so a connection may also get no answer. None succeeds.
        for _ in 0..tries {
            assert!(!client.is_answered(&url).await, "{url}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_name_of_a_virtual_ip_resolves_before_any_pod_of_the_target_is_ready() {
    in_namespace(async |ns| {
        web_and_sleeping_pg(ns).await;
        let link = ns.link(by_virtual_ip("Deployment/pg")).await;
        let client = ns.client_pod("client").await;
        link.reaches(Active).await;
        refuses(ns, &client, &ns.cluster_ips("web-db-vip").await).await;
        link.condition("Available", "False", "NoReadyEndpoints").await;

        ns.scale("pg", 1).await;
        client.fetches(&format!("http://{}:8080/", name(ns)), "pg from").await;
        link.condition("Available", "True", "EndpointsReady").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_name_of_a_service_ip_resolves_while_the_service_has_no_ready_pod() {
    in_namespace(async |ns| {
        web_and_sleeping_pg(ns).await;
        ns.create_yaml(
            "{apiVersion: v1, kind: Service, metadata: {name: pg}, spec: {selector: {app: pg}, ports: [{port: 8080}]}}",
        )
        .await;
        let link = ns.link(web_db("Service/pg").spec("addressing", "ServiceIP")).await;
        let client = ns.client_pod("client").await;
        link.reaches(Active).await;
        let addresses = ns.cluster_ips("pg").await;
        refuses(ns, &client, &addresses).await;
        link.condition("Available", "False", "NoReadyEndpoints").await;

        ns.scale("pg", 1).await;
        client.fetches(&format!("http://{}:8080/", name(ns)), "pg from").await;
        link.condition("Available", "True", "EndpointsReady").await;

        let pod = ns.pods_of("pg").await.remove(0);
        ns.set_ready(&pod, false).await;
        link.condition("Available", "False", "NoReadyEndpoints").await;
        refuses(ns, &client, &addresses).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_name_of_a_virtual_ip_outlives_its_target_and_ends_with_the_link() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let pg = ns.create_object(&serving_deployment("pg", "pg")).await;
        let manifest = by_virtual_ip("Deployment/pg").spec("activation", json!({ "targetWaitSeconds": 120 }));
        let link = ns.link(manifest).await;
        let client = ns.client_pod("client").await;
        link.reaches_within(Active, PODS_START).await;
        let addresses = ns.cluster_ips("web-db-vip").await;
        client.fetches(&format!("http://{}:8080/", name(ns)), "pg from").await;

        pg.delete().await;
        link.condition("Available", "False", "TargetNotFound").await;
        refuses(ns, &client, &addresses).await;
        link.edit(json!({ "targetInstanceRef": null })).await;
        link.condition("Available", "False", "NoTarget").await;
        refuses(ns, &client, &addresses).await;

        link.annotate("deactivate").await.succeeds();
        client.resolves_to_nothing(&name(ns)).await;
    })
    .await;
}
