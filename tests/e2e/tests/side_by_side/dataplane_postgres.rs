//! PostgreSQL behind an alias, used by psql in the pods of the source: by every name and by the variables, through a
//! change of server, a cut, and an activation.

use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::{
    Client, Link, LinkManifest, Namespace, Resolver, connect, eventually, in_namespace, injected_psql_deployment, link,
    postgres_deployment, psql_deployment,
};
use instancelink_api::State::{Active, Inactive, UpdatingActive};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

const PODS_START: Duration = Duration::from_secs(90);

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 120 }))
}

/// The name that has the same meaning in each namespace.
fn host(ns: &Namespace) -> String {
    format!("db.web-links.{}.svc", ns.name)
}

/// Servers, a link of `web` to the first one, and, once it is active, psql in the pod of `web`.
async fn web_uses(ns: &Namespace, servers: &[&str], manifest: LinkManifest) -> (Link, Client) {
    let search = format!("web-links.{}.svc.cluster.local", ns.name);
    runs_where(ns, &psql_deployment("web", &[search]), servers, manifest).await
}

async fn runs_where(ns: &Namespace, web: &Value, servers: &[&str], manifest: LinkManifest) -> (Link, Client) {
    for server in servers {
        ns.create_object(&postgres_deployment(server)).await;
    }
    ns.create_object(web).await;
    let link = ns.link(manifest).await;
    link.reaches_within(Active, PODS_START).await;
    ns.scale("web", 1).await;
    ns.ready_addresses("web", 1).await;
    for server in servers {
        ns.ready_addresses(server, 1).await;
    }
    let pod = ns.pods_of("web").await.remove(0).name_any();
    (link, ns.client_in(Resolver::Glibc, &pod).await)
}

/// How long a removed name may still be answered: the time to live in the answers of the cluster's DNS server.
async fn dns_ttl() -> Duration {
    let maps: Api<ConfigMap> = Api::namespaced(connect().await, "kube-system");
    let map = maps.get("coredns").await.expect("the configuration of CoreDNS");
    let corefile = map.data.unwrap_or_default().remove("Corefile").unwrap_or_default();
    let ttl = corefile
        .lines()
        .find_map(|line| line.trim().strip_prefix("ttl ")?.trim().parse().ok());
    // The default of CoreDNS.
    Duration::from_secs(ttl.unwrap_or(5))
}

async fn reaches(client: &Client, host: &str, server: &str, limit: Duration) {
    eventually(&format!("{host} leads to {server}"), limit, async || {
        match client.reaches_server(host).await {
            Ok(found) if found == server => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn psql_reaches_the_server_from_a_pod_that_bears_nothing_but_the_label() {
    in_namespace(async |ns| {
        let web = injected_psql_deployment("web");
        let (_link, web) = runs_where(ns, &web, &["pg"], web_db("Deployment/pg")).await;
        reaches(&web, "db", "pg", dns_ttl().await).await;
        let docker = "host=$DB_PORT_5432_TCP_ADDR port=$DB_PORT_5432_TCP_PORT";
        assert_eq!(web.psql(docker).await.as_deref(), Ok("pg"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn psql_reaches_the_server_by_every_form_of_the_name_and_by_the_variables_until_the_link_is_cut() {
    in_namespace(async |ns| {
        let (link, web) = web_uses(ns, &["pg"], web_db("Deployment/pg")).await;
        let ttl = dns_ttl().await;
        let forms = [
            "db".to_owned(),
            "db.web-links".to_owned(),
            host(ns),
            format!("{}.cluster.local", host(ns)),
        ];
        for form in &forms {
            reaches(&web, form, "pg", ttl).await;
        }
        let docker = "host=$DB_PORT_5432_TCP_ADDR port=$DB_PORT_5432_TCP_PORT";
        assert_eq!(web.psql(docker).await.as_deref(), Ok("pg"));

        let mut session = web.session("db").await;
        let peer = session.peer().await;
        link.act("deactivate").await.is_accepted();
        link.reaches(Inactive).await;
        let cut = Instant::now();
        // All forms at the same time. Otherwise the time of the first queries would count for the last form.
        let is_no_name = async |form: &String| {
            eventually(&format!("{form} is no name"), ttl, async || {
                match web.reaches_server(form).await {
                    Err(said) if said.contains("could not translate host name") => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
        };
        join_all(forms.iter().map(is_no_name)).await;
        assert!(
            cut.elapsed() < ttl + Duration::from_secs(3),
            "all forms after {:?}",
            cut.elapsed()
        );
        assert!(
            web.psql(docker)
                .await
                .unwrap_err()
                .contains("could not translate host name")
        );
        assert_eq!(session.peer().await, peer, "a cut by the name leaves connections alone");

        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        for form in &forms {
            reaches(&web, form, "pg", ttl).await;
        }
        assert_eq!(session.peer().await, peer);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn one_edit_leads_new_connections_to_another_server_and_leaves_open_ones_where_they_are() {
    in_namespace(async |ns| {
        let (link, web) = web_uses(ns, &["pg", "pg2"], web_db("Deployment/pg")).await;
        let ttl = dns_ttl().await;
        reaches(&web, "db", "pg", ttl).await;
        let mut session = web.session("db").await;
        let peer = session.peer().await;
        assert!(peer.starts_with("pg|"), "{peer}");

        link.retarget("Deployment/pg2").await;
        let edited = Instant::now();
        reaches(&web, "db", "pg2", ttl + Duration::from_secs(3)).await;
        eprintln!("psql reaches the other server {:?} after the edit", edited.elapsed());
        for form in ["db.web-links", &host(ns)] {
            reaches(&web, form, "pg2", ttl).await;
        }
        assert_eq!(session.peer().await, peer, "the open connection stands");
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_is_reached_by_its_cluster_ip_on_its_port_and_by_its_pods_on_theirs() {
    in_namespace(async |ns| {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "pg" },
            "spec": { "selector": { "app": "pg" }, "ports": [{ "name": "pg", "port": 15432, "targetPort": "pg" }] },
        });
        let ip = ns.create_object(&service).await.get().await.data["spec"]["clusterIP"].clone();
        let (link, web) = web_uses(ns, &["pg"], web_db("Service/pg")).await;
        let address: std::net::IpAddr = ip.as_str().unwrap().parse().unwrap();
        web.resolves_to("db", &[address].into()).await;
        let by_service = "host=$DB_PORT_15432_TCP_ADDR port=$DB_PORT_15432_TCP_PORT";
        eventually("psql reaches the server by the Service", dns_ttl().await, async || {
            web.psql(by_service).await.map(|found| assert_eq!(found, "pg"))
        })
        .await;

        link.edit(json!({ "addressing": "PodIP" })).await;
        link.until("has been updated", |l| {
            let history = l.status.as_ref().map(|s| s.history.clone()).unwrap_or_default();
            history.iter().any(|entry| entry.state == UpdatingActive)
        })
        .await;
        link.reaches(Active).await;
        web.resolves_to("db", &ns.ready_addresses("pg", 1).await).await;
        assert_eq!(
            web.reaches_server("db").await.as_deref(),
            Ok("pg"),
            "on the pods' own port"
        );
    })
    .await;
}

/// The link's own address of IPv4. psql uses it instead of a name.
async fn virtual_ip(ns: &Namespace) -> String {
    let service = ns.object("v1", "Service", "web-db-vip").get().await;
    service.data["spec"]["clusterIP"].as_str().unwrap().to_owned()
}

fn by_virtual_ip() -> LinkManifest {
    web_db("Deployment/pg")
        .spec("addressing", "VirtualIP")
        .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn with_a_virtual_ip_one_edit_leads_psql_to_another_server_at_the_same_address() {
    in_namespace(async |ns| {
        let (link, web) = web_uses(ns, &["pg", "pg2"], by_virtual_ip()).await;
        let address = virtual_ip(ns).await;
        reaches(&web, &address, "pg", dns_ttl().await).await;
        let mut session = web.session(&address).await;
        let peer = session.peer().await;

        link.retarget("Deployment/pg2").await;
        link.until("leads to the other server", |l| {
            let target = l.status.as_ref().and_then(|s| s.target.as_ref());
            target.is_some_and(|t| t.name == "pg2")
        })
        .await;
        // The time to live has no effect here. kube-proxy only has to read the slices.
        reaches(&web, &address, "pg2", Duration::from_secs(2)).await;
        assert_eq!(session.peer().await, peer, "the open connection stands");
        assert_eq!(virtual_ip(ns).await, address);
        web.resolves_to("db", &ns.cluster_ips("web-db-vip").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn with_a_virtual_ip_a_cut_refuses_new_connections_within_two_seconds_and_keeps_open_ones() {
    in_namespace(async |ns| {
        let (link, web) = web_uses(ns, &["pg"], by_virtual_ip()).await;
        let address = virtual_ip(ns).await;
        reaches(&web, &address, "pg", dns_ttl().await).await;
        let mut session = web.session(&address).await;
        let peer = session.peer().await;

        link.action("deactivate").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        for _ in 0..5 {
            let found = web.reaches_server(&address).await;
            assert!(found.is_err(), "a new connection reaches {found:?} after the cut");
            assert_eq!(session.peer().await, peer, "the open connection stands");
        }
        link.reaches(Inactive).await;

        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        assert_eq!(virtual_ip(ns).await, address);
        reaches(&web, &address, "pg", Duration::from_secs(5)).await;
        assert_eq!(session.peer().await, peer);
    })
    .await;
}
