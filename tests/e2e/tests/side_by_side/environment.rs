//! The environment of a source: the variables of Docker links, for all its active links.
//!
//! Rules: contract#environment-variables, contract#older-key-wins.

use std::collections::BTreeMap;

use harness::{Link, Namespace, SHORT, eventually, in_namespace, link};
use instancelink_api::State::{Activating, Active, Inactive, Requested, UpdatingActive};
use serde_json::json;

async fn variables(ns: &Namespace) -> BTreeMap<String, String> {
    let map = ns.object("v1", "ConfigMap", "web-links").find().await;
    map.map(|m| serde_json::from_value(m.data["data"].clone()).unwrap_or_default())
        .unwrap_or_default()
}

async fn has_variables(ns: &Namespace, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    eventually("the environment is as expected", SHORT, async || {
        let found = variables(ns).await;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:#?}\nexpected: {expected:#?}"))
        }
    })
    .await;
}

async fn active(ns: &Namespace, name: &str, alias: &str, target: &str) -> Link {
    let link = ns.link(link(name, alias, "Deployment/web", target)).await;
    link.reaches(Active).await;
    link
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_gets_the_variables_of_docker_links_with_names_instead_of_addresses() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        active(ns, "web-db", "order-db", "Service/pg").await;
        let host = format!("order-db.web-links.{}.svc", ns.name);
        let url = format!("tcp://{host}:5432");
        has_variables(
            ns,
            &[
                ("ORDER_DB_NAME", "/web/order-db"),
                ("ORDER_DB_PORT", &url),
                ("ORDER_DB_PORT_5432_TCP", &url),
                ("ORDER_DB_PORT_5432_TCP_ADDR", &host),
                ("ORDER_DB_PORT_5432_TCP_PORT", "5432"),
                ("ORDER_DB_PORT_5432_TCP_PROTO", "tcp"),
            ],
        )
        .await;
        // A pod that reads the ConfigMap sees them too.
        let from = json!([{ "configMapRef": { "name": "web-links", "optional": true } }]);
        let container =
            json!([{ "name": "main", "image": "localhost/workload:dev", "args": ["sleep"], "envFrom": from }]);
        let pod = ns.client_pod_with("reader", &json!({ "containers": container })).await;
        let (ok, printed) = pod.run(&["env", "ORDER_DB_NAME"]).await;
        assert!(ok && printed.trim() == "ORDER_DB_NAME=/web/order-db", "{printed}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn only_the_active_links_of_a_source_are_in_its_environment() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (db, cache) = tokio::join!(
            active(ns, "web-db", "db", "Service/pg"),
            active(ns, "web-cache", "cache", "Service/pg2")
        );
        assert_eq!(variables(ns).await.len(), 12);
        db.act("deactivate").await.is_accepted();
        db.reaches(Inactive).await;
        let left = variables(ns).await;
        assert!(
            left.len() == 6 && left.keys().all(|k| k.starts_with("CACHE_")),
            "{left:?}"
        );
        cache.act("remove").await.is_accepted();
        eventually("no environment is left", SHORT, async || {
            match ns.object("v1", "ConfigMap", "web-links").find().await {
                None => Ok(()),
                Some(map) => Err(format!("{map:?}")),
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_may_do_without_an_environment() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("outputs", json!({ "environment": "None" }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        assert!(variables(ns).await.is_empty());
        link.edit(json!({ "outputs": { "environment": "Docker" } })).await;
        watch.walks([UpdatingActive, Active]).await;
        assert_eq!(variables(ns).await.len(), 6);
        link.edit(json!({ "outputs": { "environment": "None" } })).await;
        watch.walks([UpdatingActive, Active]).await;
        assert!(variables(ns).await.is_empty());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn ports_named_in_the_link_replace_those_of_the_target() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        let ports = json!([{ "name": "admin", "port": 9187 }, { "name": "stats", "port": 8125, "protocol": "UDP" }]);
        link.edit(json!({ "ports": ports })).await;
        watch.walks([UpdatingActive, Active]).await;
        let host = format!("db.web-links.{}.svc", ns.name);
        let (tcp, udp) = (format!("tcp://{host}:9187"), format!("udp://{host}:8125"));
        has_variables(
            ns,
            &[
                ("DB_NAME", "/web/db"),
                ("DB_PORT", &tcp),
                ("DB_PORT_9187_TCP", &tcp),
                ("DB_PORT_9187_TCP_ADDR", &host),
                ("DB_PORT_9187_TCP_PORT", "9187"),
                ("DB_PORT_9187_TCP_PROTO", "tcp"),
                ("DB_PORT_8125_UDP", &udp),
                ("DB_PORT_8125_UDP_ADDR", &host),
                ("DB_PORT_8125_UDP_PORT", "8125"),
                ("DB_PORT_8125_UDP_PROTO", "udp"),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_variable_of_an_older_link_is_never_overwritten_by_a_younger_ones() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        // Both aliases produce DB_PORT_5432_TCP_PORT: `db` for its port 5432, and `db-port-5432-tcp` for itself.
        active(ns, "older", "db", "Service/pg").await;
        let before = variables(ns).await;
        ns.next_second().await;
        active(ns, "younger", "db-port-5432-tcp", "Service/pg2").await;
        let after = variables(ns).await;
        for (key, value) in &before {
            assert_eq!(after.get(key), Some(value), "{key}");
        }
        assert!(after.len() > before.len());
    })
    .await;
}
