//! What the cluster's DNS answers for the alias, and what else answers under its names. Conditions report both.
//!
//! Rules: contract#condition-verified, contract#alias-shadowed.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{Link, Namespace, Object, Reader, SHORT, eventually, fixed_service, in_namespace, link, safe_name_in};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

async fn active_link(ns: &Namespace, source: &str, alias: &str) -> Link {
    ns.web_and_two_databases().await;
    if source != "web" {
        ns.create_object(&harness::idle_deployment(source)).await;
    }
    let link = ns
        .link(link("link", alias, &format!("Deployment/{source}"), "Service/pg"))
        .await;
    link.reaches(Active).await;
    link
}

async fn is_not_shadowed(link: &Link) {
    link.until("is not shadowed", |l| {
        let conditions = &l.status.as_ref().unwrap().conditions;
        conditions.iter().all(|c| c.type_ != "AliasShadowed")
    })
    .await;
}

/// A second namespace, deleted when the test has passed.
async fn with_namespace(ns: &Namespace, name: &str, test: impl AsyncFnOnce()) {
    let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let object = Object::of(&ns.client, "", &manifest);
    object.create(&manifest).await;
    test().await;
    object.delete().await;
}

async fn cluster_ip(service: &Object) -> BTreeSet<IpAddr> {
    let found = service.get().await;
    BTreeSet::from([found.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap()])
}

/// A unique name for a namespace or an instance.
fn unique(ns: &Namespace, prefix: &str) -> String {
    format!("{prefix}-{}", ns.name)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_called_like_the_alias_is_named_as_long_as_it_is_there() {
    in_namespace(async |ns| {
        let link = active_link(ns, "web", "db").await;
        is_not_shadowed(&link).await;
        let service = ns.create_object(&fixed_service("db")).await;
        let shadowed = link.condition("AliasShadowed", "True", "ServiceComesFirst").await;
        let named = format!("Service {}/db", ns.name);
        assert!(shadowed.message.contains(&named), "{}", shadowed.message);
        ns.events_of(&link, "ServiceComesFirst", 1).await;
        link.condition("Ready", "True", "Ready").await;
        let client = ns.client_pod("client").await;
        client.resolves_to("db", &cluster_ip(&service).await).await;
        let pg = cluster_ip(&ns.object("v1", "Service", "pg")).await;
        client.resolves_to(safe_name_in(&shadowed.message), &pg).await;
        service.delete().await;
        is_not_shadowed(&link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_that_would_answer_after_a_cut_is_reported_before_it() {
    in_namespace(async |ns| {
        let instance = unique(ns, "web");
        let directory = format!("{instance}-links");
        let link = active_link(ns, &instance, "db").await;
        with_namespace(ns, &directory, async || {
            let stranger = Object::of(&ns.client, &directory, &fixed_service("db"));
            stranger.create(&fixed_service("db")).await;
            let shadowed = link.condition("AliasShadowed", "True", "ServiceStepsIn").await;
            let named = format!("Service {directory}/db");
            assert!(shadowed.message.contains(&named), "{}", shadowed.message);
            let client = ns.client_pod("client").await;
            let pg = cluster_ip(&ns.object("v1", "Service", "pg")).await;
            client.resolves_to(&format!("db.{directory}"), &pg).await;
            link.act("deactivate").await;
            link.reaches(Inactive).await;
            link.condition("AliasShadowed", "True", "ServiceStepsIn").await;
            // The names that the warning is about, and the name that it calls safe.
            let strangers = cluster_ip(&stranger).await;
            client.resolves_to(&format!("db.{directory}"), &strangers).await;
            client.resolves_to_nothing(safe_name_in(&shadowed.message)).await;
        })
        .await;
        is_not_shadowed(&link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_called_like_the_alias_hides_the_plain_name_from_musl() {
    in_namespace(async |ns| {
        let alias = unique(ns, "db");
        let link = active_link(ns, "web", &alias).await;
        let search = format!("web-links.{}.svc.cluster.local", ns.name);
        let client = ns
            .client_pod_with("client", &json!({ "dnsConfig": { "searches": [search] } }))
            .await;
        let pg = cluster_ip(&ns.object("v1", "Service", "pg")).await;
        client.resolves_to(&alias, &pg).await;
        with_namespace(ns, &alias, async || {
            let shadowed = link.condition("AliasShadowed", "True", "NamespaceEndsSearch").await;
            client.resolves_to_nothing(&alias).await;
            client.resolves_to(safe_name_in(&shadowed.message), &pg).await;
        })
        .await;
        is_not_shadowed(&link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn endpoints_that_kubernetes_mirrors_into_the_directory_are_named() {
    in_namespace(async |ns| {
        let link = active_link(ns, "web", "db").await;
        let endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": "web-links" },
            "subsets": [{ "addresses": [{ "ip": "192.0.2.7", "hostname": "db" }], "ports": [{ "port": 5432 }] }],
        });
        ns.create_object(&endpoints).await;
        let shadowed = link.condition("AliasShadowed", "True", "EndpointsMirrored").await;
        assert!(
            shadowed.message.contains("delete endpoints web-links"),
            "{}",
            shadowed.message
        );
        let warned = ns.events_of(&link, "EndpointsMirrored", 1).await;
        assert_eq!(warned[0].type_.as_deref(), Some("Warning"));
        // The operator uses the answer only after the time for which DNS caches may keep an old answer.
        let verified = link
            .until_within("gets addresses of others", Duration::from_secs(90), |l| {
                let conditions = &l.status.as_ref().unwrap().conditions;
                conditions.iter().any(|c| c.reason == "OtherAddresses")
            })
            .await;
        let conditions = verified.status.unwrap().conditions;
        let said = conditions
            .into_iter()
            .find(|c| c.reason == "OtherAddresses")
            .unwrap()
            .message;
        assert!(said.contains("returns 192.0.2.7 for db.web-links."), "{said}");
        link.condition("Ready", "True", "Ready").await;
        // No role of a namespace may read those of other namespaces, or write Endpoints.
        let administrator = Reader::of_the_cluster();
        let listed = administrator.runs(&said).await;
        assert!(listed.contains("192.0.2.7"), "{listed}");
        administrator.runs(&shadowed.message).await;
        eventually("the mirrored slice is gone", SHORT, async || {
            let found = ns.addresses_in("web-links").await;
            let foreign = found.iter().any(|a| a.to_string() == "192.0.2.7");
            if foreign { Err(format!("{found:?}")) } else { Ok(()) }
        })
        .await;
        is_not_shadowed(&link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_alias_is_verified_once_the_dns_has_it_and_no_longer_when_it_is_cut() {
    in_namespace(async |ns| {
        let link = active_link(ns, "web", "db").await;
        link.condition("Verified", "True", "Resolves").await;
        link.act("deactivate").await;
        link.reaches(Inactive).await;
        link.until("says nothing of the DNS", |l| {
            let conditions = &l.status.as_ref().unwrap().conditions;
            conditions.iter().all(|c| c.type_ != "Verified")
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_alias_without_endpoints_has_no_name_and_is_verified() {
    in_namespace(async |ns| {
        ns.create_object(&harness::idle_deployment("web")).await;
        ns.create_object(&harness::idle_deployment("pg")).await;
        let empty =
            link("link", "db", "Deployment/web", "Deployment/pg").spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(empty).await;
        link.reaches(Active).await;
        link.condition("Verified", "True", "Resolves").await;
        link.condition("Available", "False", "NoReadyEndpoints").await;
    })
    .await;
}
