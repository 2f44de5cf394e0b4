//! Pods, Services and links of both address families: the alias has A and AAAA records, and each address accepts
//! connections.
//!
//! Rules: contract#dns-names, contract#virtual-ip.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{
    Client, Link, LinkManifest, Namespace, Resolver, idle_deployment, in_namespace, is_dual_stack, link,
    serving_deployment, url,
};
use instancelink_api::State::Active;
use serde_json::json;

const GROUP: &str = "dataplane_families";
const PODS_START: Duration = Duration::from_secs(90);

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 90 }))
}

async fn active(ns: &Namespace, manifest: LinkManifest) -> Link {
    ns.create_object(&idle_deployment("web")).await;
    for name in ["pg", "pg2"] {
        ns.create_object(&serving_deployment(name, name)).await;
    }
    let link = ns.link(manifest).await;
    link.reaches_within(Active, PODS_START).await;
    link
}

/// A Service in front of `pg` with addresses of these families.
async fn service(ns: &Namespace, policy: &str, families: &[&str]) -> BTreeSet<IpAddr> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
        "spec": {
            "selector": { "app": "pg" }, "ipFamilyPolicy": policy, "ipFamilies": families,
            "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }],
        },
    });
    ns.create_object(&service).await;
    ns.cluster_ips("pg").await
}

/// Connects to each address by itself, because a client that knows a name can use either.
async fn each_answers(client: &Client, addresses: &BTreeSet<IpAddr>, port: u16, text: &str) {
    for address in addresses {
        client.fetches(&url(address, port), text).await;
    }
}

fn has_both(addresses: &BTreeSet<IpAddr>) -> bool {
    addresses.iter().any(IpAddr::is_ipv4) && addresses.iter().any(IpAddr::is_ipv6)
}

fn name(ns: &Namespace) -> String {
    format!("db.web-links.{}.svc", ns.name)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_alias_has_an_address_of_each_family_for_each_pod_and_one_port_record_and_both_connect() {
    if !is_dual_stack(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let none = json!({});
        let (_link, client, go) = tokio::join!(
            active(ns, web_db("Deployment/pg")),
            ns.client_pod("client"),
            ns.client_pod_of(Resolver::Go, "go", &none)
        );
        ns.scale("pg", 2).await;
        let pods = ns.ready_addresses("pg", 2).await;
        assert!(has_both(&pods) && pods.len() == 4, "{pods:?}");
        let name = name(ns);
        client.resolves_to(&name, &pods).await;
        go.resolves_to(&name, &pods).await;
        each_answers(&client, &pods, 8080, "pg from").await;
        let ports = [(8080, format!("{name}.cluster.local"))].into();
        go.finds_ports(&format!("_db._tcp.web-links.{}.svc.cluster.local", ns.name), &ports)
            .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_alias_of_a_service_of_both_families_has_both_its_addresses() {
    if !is_dual_stack(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let addresses = service(ns, "RequireDualStack", &["IPv4", "IPv6"]).await;
        assert!(has_both(&addresses), "{addresses:?}");
        let manifest = web_db("Service/pg").spec("addressing", "ServiceIP");
        let (_link, client) = tokio::join!(active(ns, manifest), ns.client_pod("client"));
        client.resolves_to(&name(ns), &addresses).await;
        each_answers(&client, &addresses, 80, "pg from").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_of_ipv6_alone_is_reached_by_name_and_the_alias_has_no_other_address() {
    if !is_dual_stack(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let addresses = service(ns, "SingleStack", &["IPv6"]).await;
        assert!(
            addresses.len() == 1 && addresses.iter().all(IpAddr::is_ipv6),
            "{addresses:?}"
        );
        let (_link, client) = tokio::join!(active(ns, web_db("Service/pg")), ns.client_pod("client"));
        client.resolves_to(&name(ns), &addresses).await;
        client.fetches(&format!("http://{}/", name(ns)), "pg from").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_virtual_ip_has_an_address_of_each_family_and_keeps_both_at_a_retarget() {
    if !is_dual_stack(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let manifest = web_db("Deployment/pg")
            .spec("addressing", "VirtualIP")
            .spec("ports", json!([{ "name": "web", "port": 80, "targetPort": "http" }]));
        let (link, client) = tokio::join!(active(ns, manifest), ns.client_pod("client"));
        let addresses = ns.cluster_ips("web-db-vip").await;
        assert!(has_both(&addresses), "{addresses:?}");
        client.resolves_to(&name(ns), &addresses).await;
        each_answers(&client, &addresses, 80, "pg from").await;
        ns.ready_addresses("pg2", 1).await;
        link.retarget("Deployment/pg2").await;
        each_answers(&client, &addresses, 80, "pg2 from").await;
        client.resolves_to(&name(ns), &addresses).await;
    })
    .await;
}
