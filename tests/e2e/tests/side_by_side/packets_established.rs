//! Connections that were established before a link was cut. The policy of the link is gone, and they live on: a network
//! plugin judges new connections only.
//!
//! Rule: contract#cut-and-packets.

use harness::{Resolver, enforces_policies, eventually, in_namespace, link, postgres_deployment, psql_deployment};
use instancelink_api::State::{Active, Inactive};
use kube::ResourceExt as _;
use serde_json::json;

const GROUP: &str = "packets_established";

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_cut_refuses_new_connections_and_leaves_an_open_one_and_the_condition_says_both() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        ns.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
            .await;
        ns.create_object(&postgres_deployment("pg")).await;
        ns.create_object(&psql_deployment("web", &[])).await;
        ns.scale("web", 1).await;
        ns.ready_addresses("web", 1).await;
        let pod = ns.pods_of("web").await.remove(0).name_any();
        let web = ns.client_in(Resolver::Glibc, &pod).await;
        let server = ns.ready_addresses("pg", 1).await.pop_first().unwrap().to_string();
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("networkPolicy", "Allow")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]));
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let told = link.condition("Enforced", "True", "TargetIsolated").await.message;
        assert!(told.contains("new connection") && told.contains("already open"), "{told}");
        eventually("the way is open", harness::SHORT, async || web.reaches_server(&server).await).await;

        let mut session = web.session(&server).await;
        let peer = session.peer().await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        eventually("a new connection fails", harness::SHORT, async || match web.reaches_server(&server).await {
            Ok(found) => Err(found),
            Err(_) => Ok(()),
        })
        .await;
        assert_eq!(session.peer().await, peer, "the open connection lives on");
        // And it still does after the plugin has had time for everything.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert_eq!(session.peer().await, peer, "the open connection lives on");
    })
    .await;
}
