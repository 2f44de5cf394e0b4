//! NetworkPolicies as packets meet them: the source of an active link gets in, and no other pod does. A link that is cut in
//! any way shuts the source out, also from addresses that it knows.
//!
//! Rules: contract#network-policy, contract#cut-and-packets.

use harness::{Client, Link, LinkManifest, Namespace, enforces_policies, in_namespace, link, serving_deployment};
use instancelink_api::State::{Active, Inactive, Removed};
use serde_json::json;

const GROUP: &str = "packets";

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target)
        .spec("networkPolicy", "Allow")
        .spec("ports", json!([{ "name": "http", "port": 8080 }]))
}

/// Denies all ingress, and with it each new connection to the pods of this namespace.
async fn deny(ns: &Namespace) {
    ns.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
        .await;
}

/// A Service in front of the pods of a Deployment, and the URLs of its cluster IPs.
async fn service(ns: &Namespace, name: &str) -> Vec<String> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": {
            "selector": { "app": name }, "ipFamilyPolicy": "PreferDualStack",
            "ports": [{ "port": 80, "targetPort": 8080 }],
        },
    });
    ns.create_object(&service).await;
    let addresses = ns.cluster_ips(name).await;
    addresses.iter().map(|address| harness::url(address, 80)).collect()
}

/// Isolated servers `pg` and `pg2`, each behind a Service, and the pod of the source.
struct Scene {
    web: Client,
    other: Client,
    pg: Vec<String>,
    pg2: Vec<String>,
}

async fn scene(ns: &Namespace) -> Scene {
    deny(ns).await;
    let mut urls = Vec::new();
    for name in ["pg", "pg2"] {
        ns.create_object(&serving_deployment(name, name)).await;
        urls.push(service(ns, name).await);
    }
    let (web, other) = tokio::join!(ns.source("web"), ns.client_pod("other"));
    for (name, urls) in ["pg", "pg2"].into_iter().zip(&mut urls) {
        urls.extend(ns.urls_of(name, 8080).await);
    }
    let pg2 = urls.remove(1);
    let pg = urls.remove(0);
    for url in pg.iter().chain(&pg2) {
        web.is_shut_out(url).await;
    }
    Scene { web, other, pg, pg2 }
}

async fn active(ns: &Namespace, manifest: LinkManifest) -> Link {
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

async fn acts(link: &Link, action: &str, state: instancelink_api::State) {
    link.annotate(action).await.succeeds();
    link.reaches(state).await;
}

async fn gets_in(client: &Client, urls: &[String], text: &str) {
    for url in urls {
        client.fetches(url, text).await;
    }
}

async fn is_out(client: &Client, urls: &[String]) {
    for url in urls {
        client.is_shut_out(url).await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_lets_its_source_in_and_no_other_pod_and_a_deactivated_one_shuts_it_out() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        in_namespace(async |elsewhere| {
            // A pod with all labels of the source, in another namespace.
            let (Scene { web, other, mut pg, .. }, namesake) = tokio::join!(scene(ns), elsewhere.client_pod("web"));
            let link = active(ns, web_db("Deployment/pg")).await;
            link.condition("Enforced", "True", "TargetIsolated").await;
            pg.push(format!("http://db.web-links.{}.svc:8080/", ns.name));
            for _ in 0..2 {
                gets_in(&web, &pg, "pg from").await;
                is_out(&other, &pg).await;
                is_out(&namesake, &pg).await;
                acts(&link, "deactivate", Inactive).await;
                is_out(&web, &pg).await;
                acts(&link, "activate", Active).await;
            }
            gets_in(&web, &pg, "pg from").await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_shuts_its_source_out_and_a_restored_one_lets_it_in_again() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let Scene { web, other, pg, .. } = scene(ns).await;
        let link = active(ns, web_db("Deployment/pg")).await;
        gets_in(&web, &pg, "pg from").await;
        acts(&link, "remove", Removed).await;
        is_out(&web, &pg).await;
        acts(&link, "restore", Inactive).await;
        is_out(&web, &pg).await;
        acts(&link, "activate", Active).await;
        gets_in(&web, &pg, "pg from").await;
        link.delete().await;
        link.is_gone().await;
        is_out(&web, &pg).await;
        is_out(&other, &pg).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_retarget_opens_the_new_target_and_closes_the_old_one() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let Scene { web, other, pg, pg2 } = scene(ns).await;
        let link = active(ns, web_db("Deployment/pg")).await;
        gets_in(&web, &pg, "pg from").await;
        is_out(&web, &pg2).await;
        link.retarget("Deployment/pg2").await;
        gets_in(&web, &pg2, "pg2 from").await;
        is_out(&web, &pg).await;
        is_out(&other, &pg2).await;
        link.edit(json!({ "networkPolicy": "None" })).await;
        is_out(&web, &pg2).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn new_pods_of_the_source_get_in_and_new_pods_of_the_target_are_as_closed_as_the_first() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let Scene { web, other, pg, .. } = scene(ns).await;
        let _link = active(ns, web_db("Deployment/pg")).await;
        gets_in(&web, &pg, "pg from").await;
        ns.scale("pg", 2).await;
        let addresses = ns.ready_addresses("pg", 2).await;
        let urls: Vec<String> = addresses.iter().map(|address| harness::url(address, 8080)).collect();
        gets_in(&web, &urls, "pg from").await;
        is_out(&other, &urls).await;
        ns.scale("web", 0).await;
        ns.ready_addresses("web", 0).await;
        ns.scale("web", 1).await;
        gets_in(&ns.client_of("web").await, &urls, "pg from").await;
    })
    .await;
}

/// contract#virtual-ip
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_virtual_ip_lets_in_the_source_alone_and_only_while_the_link_is_active() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        let Scene { web, other, pg, .. } = scene(ns).await;
        let manifest = web_db("Deployment/pg")
            .spec("addressing", "VirtualIP")
            .spec("ports", json!([{ "name": "web", "port": 80, "targetPort": "http" }]));
        let link = active(ns, manifest).await;
        let addresses = ns.cluster_ips("web-db-vip").await;
        let mut urls: Vec<String> = addresses.iter().map(|address| harness::url(address, 80)).collect();
        urls.push(format!("http://db.web-links.{}.svc/", ns.name));
        urls.extend(pg);
        gets_in(&web, &urls, "pg from").await;
        is_out(&other, &urls).await;
        acts(&link, "deactivate", Inactive).await;
        is_out(&web, &urls).await;
        acts(&link, "activate", Active).await;
        gets_in(&web, &urls, "pg from").await;
    })
    .await;
}
