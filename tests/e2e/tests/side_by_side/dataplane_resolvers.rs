//! The alias as the resolvers of glibc, musl and Go see it: where they agree, where they differ, and what else may
//! answer. `docs/guide/names.md` documents this for users.
//!
//! Rules: contract#dns-names, contract#short-name-is-a-convenience.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    Client, Link, Namespace, Object, Resolver, eventually, fixed_service, idle_deployment, in_namespace, link,
    serving_pod,
};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const PODS_START: Duration = Duration::from_secs(90);

/// A client of each resolver, in the order of [`Resolver::ALL`], with the directory as the last of its search list.
async fn clients(ns: &Namespace, directory: &str) -> Vec<Client> {
    let spec = json!({ "dnsConfig": { "searches": [format!("{directory}.{}.svc.cluster.local", ns.name)] } });
    join_all(Resolver::ALL.map(async |resolver| {
        let name = format!("{resolver:?}").to_lowercase();
        ns.client_pod_of(resolver, &name, &spec).await
    }))
    .await
}

async fn all_resolve(clients: &[Client], name: &str, addresses: &BTreeSet<IpAddr>) {
    join_all(clients.iter().map(|client| client.resolves_to(name, addresses))).await;
}

async fn none_resolves(clients: &[Client], name: &str) {
    join_all(clients.iter().map(|client| client.resolves_to_nothing(name))).await;
}

/// A Service with a cluster IP and no endpoints.
async fn service(ns: &Namespace, namespace: &str, name: &str) -> (Object, BTreeSet<IpAddr>) {
    let manifest = fixed_service(name);
    let object = Object::of(&ns.client, namespace, &manifest);
    let created = object.create(&manifest).await;
    let address = created.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap();
    (object, [address].into())
}

/// A second namespace with a unique name, because all tests share one cluster.
async fn namespace(ns: &Namespace, name: &str) -> Object {
    let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let object = Object::of(&ns.client, "", &manifest);
    object.create(&manifest).await;
    object
}

/// An active link of a Deployment to a Service, and the Service's address.
async fn active(ns: &Namespace, source: &str, alias: &str) -> (Link, BTreeSet<IpAddr>) {
    ns.create_object(&idle_deployment(source)).await;
    let pg = ns.fixed_service("pg").await.get().await;
    let address = [pg.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap()].into();
    let link = ns
        .link(link("web-db", alias, &format!("Deployment/{source}"), "Service/pg"))
        .await;
    link.reaches(Active).await;
    (link, address)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn every_resolver_finds_the_alias_by_every_form_of_its_name_and_its_port_by_srv() {
    in_namespace(async |ns| {
        let ((_link, pg), clients) = tokio::join!(active(ns, "web", "db"), clients(ns, "web-links"));
        let host = format!("db.web-links.{}.svc", ns.name);
        let fqdn = format!("{host}.cluster.local");
        for name in ["db", "db.web-links", &host, &fqdn] {
            all_resolve(&clients, name, &pg).await;
        }
        let ports = BTreeSet::from([(5432, fqdn)]);
        let srv = format!("_db._tcp.web-links.{}.svc", ns.name);
        let [_, nslookup, go] = clients.as_slice() else {
            panic!("three clients")
        };
        for name in [&format!("{srv}.cluster.local"), &srv, "_db._tcp.web-links"] {
            go.finds_ports(name, &ports).await;
        }
        nslookup.finds_ports(&format!("{srv}.cluster.local"), &ports).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_named_like_the_alias_takes_the_plain_name_and_a_namespace_named_so_ends_the_search_of_musl() {
    in_namespace(async |ns| {
        let alias = format!("db-{}", ns.name);
        let ((_link, pg), clients) = tokio::join!(active(ns, "web", &alias), clients(ns, "web-links"));
        let host = format!("{alias}.web-links.{}.svc", ns.name);
        all_resolve(&clients, &alias, &pg).await;

        // `<alias>.svc.cluster.local` then exists without addresses. musl accepts that as the answer. The others
        // continue.
        let homonym = namespace(ns, &alias).await;
        let (_, _other) = service(ns, &alias, "web-links").await;
        let [musl, glibc, go] = clients.as_slice() else {
            panic!("three clients")
        };
        musl.resolves_to_nothing(&alias).await;
        for client in [glibc, go] {
            client.resolves_to(&alias, &pg).await;
        }
        for name in [&format!("{alias}.web-links"), &host] {
            all_resolve(&clients, name, &pg).await;
        }
        homonym.delete().await;
        all_resolve(&clients, &alias, &pg).await;

        // The source's own namespace is before the directory in the search list.
        let (namesake, stranger) = service(ns, &ns.name, &alias).await;
        all_resolve(&clients, &alias, &stranger).await;
        for name in [&format!("{alias}.web-links"), &host] {
            all_resolve(&clients, name, &pg).await;
        }
        namesake.delete().await;
        all_resolve(&clients, &alias, &pg).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_named_like_the_directory_of_a_cut_link_answers_only_for_the_short_name() {
    in_namespace(async |ns| {
        let source = format!("w-{}", ns.name);
        let directory = format!("{source}-links");
        let ((link, pg), clients) = tokio::join!(active(ns, &source, "db"), clients(ns, &directory));
        let its_namespace = namespace(ns, &directory).await;
        let (_, squatter) = service(ns, &directory, "db").await;
        let short = format!("db.{directory}");
        let host = format!("{short}.{}.svc", ns.name);
        let environment = ns.object("v1", "ConfigMap", &directory).get().await;
        assert_eq!(environment.data["data"]["DB_PORT_5432_TCP_ADDR"], json!(host));
        let fqdn = format!("{host}.cluster.local");
        for name in ["db", &short, &host, &fqdn] {
            all_resolve(&clients, name, &pg).await;
        }

        link.act("deactivate").await.is_accepted();
        link.reaches(Inactive).await;
        for name in ["db", &host, &fqdn] {
            none_resolves(&clients, name).await;
        }
        // This is why the environment uses the form with the namespace.
        all_resolve(&clients, &short, &squatter).await;
        for name in ["db", &host, &fqdn] {
            none_resolves(&clients, name).await;
        }

        link.act("activate").await.is_accepted();
        all_resolve(&clients, &short, &pg).await;
        its_namespace.delete().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn pods_that_serve_on_different_ports_stand_in_two_slices_under_one_name() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let one = serving_pod("pg-1", &[("app", "pg")], "pg");
        let mut other = serving_pod("pg-2", &[("app", "pg")], "pg");
        let container = &mut other["spec"]["containers"][0];
        container["args"][2] = "8081".into();
        container["ports"][0]["containerPort"] = 8081.into();
        container["readinessProbe"]["httpGet"]["port"] = 8081.into();
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
            "spec": { "selector": { "app": "pg" }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
        });
        for manifest in [one, other, service] {
            ns.create_object(&manifest).await;
        }
        let both = ns.ready_addresses("pg", 2).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("addressing", "PodIP");
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let clients = clients(ns, "web-links").await;

        let slices = ns.slices().await;
        // In a dual-stack cluster there are as many of IPv6.
        let of_v4 = slices.iter().filter(|slice| slice.address_type == "IPv4");
        let names: Vec<String> = of_v4.map(ResourceExt::name_any).collect();
        assert_eq!(names, ["web-db-v4", "web-db-v4-2"]);
        for slice in &slices {
            let hosts: Vec<_> = slice
                .endpoints
                .iter()
                .flatten()
                .map(|e| e.hostname.as_deref())
                .collect();
            assert_eq!(hosts, [Some("db")], "{slice:?}");
        }
        let host = format!("db.web-links.{}.svc", ns.name);
        let srv = format!("_db._tcp.web-links.{}.svc.cluster.local", ns.name);
        let ports = |ports: &[u16]| ports.iter().map(|p| (*p, format!("{host}.cluster.local"))).collect();
        all_resolve(&clients, &host, &both).await;
        clients[2].finds_ports(&srv, &ports(&[8080, 8081])).await;

        let pod = ns.api::<Pod>().get("pg-1").await.unwrap();
        ns.set_ready(&pod, false).await;
        all_resolve(&clients, &host, &ns.ready_addresses("pg", 1).await).await;
        clients[2].finds_ports(&srv, &ports(&[8081])).await;
        link.edit(json!({ "publishNotReadyAddresses": true })).await;
        all_resolve(&clients, &host, &both).await;
        clients[2].finds_ports(&srv, &ports(&[8080, 8081])).await;
    })
    .await;
}

/// A node gives all its pods addresses of the same families. So these pods are fakes: no node runs them, and the test writes
/// their status. It shows that slices and names are right; `dataplane_families` shows that IPv6 connections work.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_of_both_families_answers_under_one_name_with_an_address_of_each() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let clients = clients(ns, "web-links").await;
        let mut pg = idle_deployment("pg");
        pg["spec"]["replicas"] = 2.into();
        pg["spec"]["template"]["spec"]["schedulingGates"] = json!([{ "name": "e2e.test/never" }]);
        pg["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{ "name": "pg", "containerPort": 5432 }]);
        ns.create_object(&pg).await;
        let pods = eventually("there are two pods", PODS_START, async || {
            let pods = ns.pods_of("pg").await;
            if pods.len() == 2 {
                Ok(pods)
            } else {
                Err(format!("{}", pods.len()))
            }
        })
        .await;
        give_addresses(ns, &pods[0], &["192.0.2.10", "2001:db8::10"]).await;
        give_addresses(ns, &pods[1], &["2001:db8::11"]).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg");
        ns.link(manifest).await.reaches(Active).await;

        let slices = ns.slices().await;
        let shown: Vec<(String, &str, Vec<&str>)> = slices
            .iter()
            .map(|slice| {
                let endpoints = slice.endpoints.iter().flatten();
                let mut addresses: Vec<&str> = endpoints.flat_map(|e| &e.addresses).map(String::as_str).collect();
                addresses.sort_unstable();
                (slice.name_any(), slice.address_type.as_str(), addresses)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("web-db-v4".to_owned(), "IPv4", vec!["192.0.2.10"]),
                ("web-db-v6".to_owned(), "IPv6", vec!["2001:db8::10", "2001:db8::11"]),
            ]
        );
        let all = ["192.0.2.10", "2001:db8::10", "2001:db8::11"].map(|a| a.parse().unwrap());
        all_resolve(&clients, "db", &all.into()).await;

        give_addresses(ns, &pods[1], &["192.0.2.11"]).await;
        let moved = ["192.0.2.10", "192.0.2.11", "2001:db8::10"].map(|a| a.parse().unwrap());
        all_resolve(&clients, "db", &moved.into()).await;
    })
    .await;
}

/// Writes the status as a kubelet would: the pod runs, is ready, and has these addresses.
async fn give_addresses(ns: &Namespace, pod: &Pod, addresses: &[&str]) {
    let list: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
    let status = json!({ "status": {
        "phase": "Running", "podIP": addresses[0], "podIPs": list,
        "conditions": [{ "type": "Ready", "status": "True" }],
    }});
    ns.api::<Pod>()
        .patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&status))
        .await
        .expect("the status of a pod");
}
