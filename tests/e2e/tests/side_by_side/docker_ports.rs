//! The port that `<ALIAS>_PORT` has, and the ranges of ports: as Docker chose them, however the ports are declared.
//!
//! Rules: contract#dockers-port, contract#no-env-variables.

use std::collections::BTreeMap;

use harness::{Namespace, SHORT, eventually, fixed_service, idle_deployment, in_namespace, link};
use instancelink_api::State::Active;
use serde_json::{Value, json};

/// Ports as `number/protocol`, in this order.
fn ports(declared: &[&str], number: &str) -> Value {
    let port = |text: &&str| {
        let (port, protocol) = text.split_once('/').unwrap();
        json!({ "name": format!("p{port}-{}", protocol.to_lowercase()), number: port.parse::<u16>().unwrap(), "protocol": protocol })
    };
    declared.iter().map(port).collect()
}

fn service(name: &str, declared: &[&str]) -> Value {
    let mut service = fixed_service(name);
    service["spec"]["ports"] = ports(declared, "port");
    service
}

fn deployment(name: &str, declared: &[&str]) -> Value {
    let mut deployment = idle_deployment(name);
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"] = ports(declared, "containerPort");
    deployment
}

/// Waits until the source of these links has this port, and these variables of ranges.
async fn has_port(ns: &Namespace, alias: &str, port: &str, ranges: &[&str]) {
    let (number, protocol) = port.split_once('/').unwrap();
    let url = format!("{protocol}://{alias}.web-links.{}.svc:{number}", ns.name);
    let prefix = format!("{}_", alias.to_uppercase());
    eventually(&format!("{alias} has the port {port}"), SHORT, async || {
        let map = ns.object("v1", "ConfigMap", "web-links").get().await.data["data"].clone();
        let all: BTreeMap<String, String> = serde_json::from_value(map).unwrap_or_default();
        let found: Vec<&str> = all
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix))
            .filter(|key| key.ends_with("_START") || key.ends_with("_END"))
            .collect();
        if all.get(&format!("{prefix}PORT")) == Some(&url) && found == ranges {
            return Ok(());
        }
        Err(format!("{all:#?}"))
    })
    .await;
    let map = ns.object("v1", "ConfigMap", "web-links").get().await;
    let is_copy = |key: &String| key.starts_with(&format!("{prefix}ENV_"));
    assert!(!map.data["data"].as_object().unwrap().keys().any(is_copy), "{map:?}");
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_port_of_an_alias_is_the_one_that_docker_would_choose() {
    in_namespace(async |ns| {
        let web = idle_deployment("web");
        let api = service("api", &["8443/TCP", "8080/TCP", "9090/TCP"]);
        let dns = service("dns", &["53/UDP", "53/TCP", "9153/TCP"]);
        let core = service("core", &["2152/UDP", "38412/SCTP"]);
        let cache = deployment("cache", &["6381/TCP", "6379/TCP", "6380/TCP", "6380/UDP"]);
        for manifest in [web, api, dns, core, cache] {
            ns.create_object(&manifest).await;
        }
        let no_wait = json!({ "targetWaitSeconds": 0 });
        for (alias, target) in [
            ("api", "Service/api"),
            ("dns", "Service/dns"),
            ("core", "Service/core"),
            ("cache", "Deployment/cache"),
        ] {
            let link = link(&format!("web-{alias}"), alias, "Deployment/web", target);
            ns.link(link.spec("activation", no_wait.clone()))
                .await
                .reaches(Active)
                .await;
        }
        has_port(ns, "api", "8080/tcp", &[]).await;
        has_port(ns, "dns", "53/tcp", &[]).await;
        has_port(ns, "core", "38412/sctp", &[]).await;
        let range = ["END", "PORT_END", "PORT_START", "START"].map(|end| format!("PORT_6379_TCP_{end}"));
        let range = range.each_ref().map(String::as_str);
        has_port(ns, "cache", "6379/tcp", &range).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_order_of_ports_in_a_link_has_no_influence_on_its_port() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        for (declared, port) in [
            (["9187/TCP", "5432/TCP"], "5432/tcp"),
            (["8125/UDP", "9187/TCP"], "9187/tcp"),
            (["8126/UDP", "8125/UDP"], "8125/udp"),
        ] {
            link.edit(json!({ "ports": ports(&declared, "port") })).await;
            let ranges: &[&str] = match port {
                "8125/udp" => &[
                    "PORT_8125_UDP_END",
                    "PORT_8125_UDP_PORT_END",
                    "PORT_8125_UDP_PORT_START",
                    "PORT_8125_UDP_START",
                ],
                _ => &[],
            };
            has_port(ns, "db", port, ranges).await;
        }
    })
    .await;
}
