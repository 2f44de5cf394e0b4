//! A link with its own address: the alias resolves to a cluster IP that stays the same when the endpoints change.
//!
//! Rule: contract#virtual-ip.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{Link, LinkManifest, Namespace, Try, idle_deployment, in_namespace, link, serving_deployment};
use instancelink_api::State::{Active, Inactive, Removed};
use k8s_openapi::api::core::v1::Service;
use serde_json::json;

const PODS_START: Duration = Duration::from_secs(90);

/// A port of the alias that no pod declares. `http` is the name of the pods' port 8080.
fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target)
        .spec("addressing", "VirtualIP")
        .spec("ports", json!([{ "name": "web", "port": 80, "targetPort": "http" }]))
        .spec("activation", json!({ "targetWaitSeconds": 120 }))
}

async fn web_uses_pg(ns: &Namespace) -> Link {
    ns.create_object(&idle_deployment("web")).await;
    for name in ["pg", "pg2"] {
        ns.create_object(&serving_deployment(name, name)).await;
    }
    let link = ns.link(web_db("Deployment/pg")).await;
    link.reaches_within(Active, PODS_START).await;
    link
}

/// One address, or one of each family in a dual-stack cluster.
async fn addresses(ns: &Namespace) -> BTreeSet<IpAddr> {
    ns.cluster_ips("web-db-vip").await
}

/// The first of them: that of IPv4, if there are two.
async fn address(ns: &Namespace) -> IpAddr {
    *addresses(ns).await.first().unwrap()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_alias_of_a_virtual_ip_resolves_to_one_address_and_port_for_each_target() {
    in_namespace(async |ns| {
        let (link, client) = tokio::join!(web_uses_pg(ns), ns.client_pod("client"));
        let address = address(ns).await;
        let name = format!("db.web-links.{}.svc", ns.name);
        client.resolves_to(&name, &addresses(ns).await).await;
        client.fetches(&format!("http://{name}/"), "pg from pg-").await;
        let variables = ns.object("v1", "ConfigMap", "web-links").get().await.data["data"].clone();
        assert_eq!(variables["DB_PORT"], json!(format!("tcp://{name}:80")));

        ns.ready_addresses("pg2", 1).await;
        link.retarget("Deployment/pg2").await;
        link.until("the update is over", |l| {
            l.status
                .as_ref()
                .unwrap()
                .target
                .as_ref()
                .is_some_and(|t| t.name == "pg2")
        })
        .await;
        client.fetches(&format!("http://{address}/"), "pg2 from pg2-").await;
        client.resolves_to(&name, &addresses(ns).await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_client_that_uses_only_the_address_loses_no_connection_at_a_retarget() {
    in_namespace(async |ns| {
        let (link, client) = tokio::join!(web_uses_pg(ns), ns.client_pod("client"));
        ns.ready_addresses("pg2", 1).await;
        let url = format!("http://{}/", address(ns).await);
        client.fetches(&url, "pg from").await;
        let poll = client.poll(&url, Duration::from_millis(20), 300);
        for target in ["Deployment/pg2", "Deployment/pg", "Deployment/pg2"] {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            link.retarget(target).await;
        }
        let tries = poll.loses_nothing().await;
        let servers: BTreeSet<_> = tries.iter().map(Try::server).collect();
        assert_eq!(servers, ["pg", "pg2"].into());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_cut_link_refuses_new_connections_and_keeps_its_address_until_it_is_removed() {
    in_namespace(async |ns| {
        let (link, client) = tokio::join!(web_uses_pg(ns), ns.client_pod("client"));
        let first = address(ns).await;
        let url = format!("http://{first}/");
        client.fetches(&url, "pg from").await;

        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let tries = client.poll(&url, Duration::from_millis(50), 20).finish().await;
        assert!(tries.iter().all(|t| !t.ok), "{tries:#?}");
        assert_eq!(ns.slices().await.len(), 0);

        link.annotate("activate").await.succeeds();
        link.reaches(Active).await;
        assert_eq!(address(ns).await, first);
        client.fetches(&url, "pg from").await;

        link.annotate("remove").await.succeeds();
        link.reaches(Removed).await;
        let left = ns.api::<Service>().get_opt("web-db-vip").await.unwrap();
        assert!(left.is_none(), "{left:?}");
        link.annotate("restore").await.succeeds();
        // An action that is possible in this state only: the next annotation would replace one that is not accepted yet.
        link.reaches(Inactive).await;
        link.annotate("activate").await.succeeds();
        link.reaches(Active).await;
        client
            .fetches(&format!("http://{}/", address(ns).await), "pg from")
            .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn another_addressing_gives_the_address_back() {
    in_namespace(async |ns| {
        let link = web_uses_pg(ns).await;
        let pods = ns.ready_addresses("pg", 1).await;
        link.edit(json!({ "addressing": "PodIP", "ports": [{ "name": "web", "port": 8080, "targetPort": null }] }))
            .await;
        ns.has_addresses_in("web-links", &pods).await;
        let gone = async || ns.api::<Service>().get_opt("web-db-vip").await.unwrap().is_none();
        link.until("the update is over", |l| l.status.as_ref().unwrap().state == Active)
            .await;
        harness::eventually("the virtual IP is gone", Duration::from_secs(10), async || {
            if gone().await {
                Ok(())
            } else {
                Err("it still exists".to_owned())
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_virtual_ip_that_a_user_opened_or_deleted_is_repaired() {
    in_namespace(async |ns| {
        let link = web_uses_pg(ns).await;
        let service = ns.object("v1", "Service", "web-db-vip");
        service
            .patch(&json!({ "spec": { "type": "NodePort", "selector": { "app": "web" } } }))
            .await;
        harness::eventually("it is closed again", Duration::from_secs(10), async || {
            let spec = ns.api::<Service>().get("web-db-vip").await.unwrap().spec.unwrap();
            let closed = spec.type_.as_deref() == Some("ClusterIP") && spec.selector.is_none();
            if closed { Ok(()) } else { Err(format!("{spec:?}")) }
        })
        .await;
        ns.api::<Service>()
            .delete("web-db-vip", &kube::api::DeleteParams::default())
            .await
            .unwrap();
        harness::eventually("the alias leads to the new one", Duration::from_secs(20), async || {
            let Some(service) = ns.api::<Service>().get_opt("web-db-vip").await.unwrap() else {
                return Err("no Service".to_owned());
            };
            let found = ns.addresses_in("web-links").await;
            if found == harness::cluster_ips_of(&service) {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
        link.stays(Active).await;
    })
    .await;
}
