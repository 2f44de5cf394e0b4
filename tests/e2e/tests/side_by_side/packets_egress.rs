//! The half of the source, with packets: a source that policies of others cut off reaches the target of its active link, and
//! nothing else.
//!
//! Rules: contract#egress-policy, contract#condition-available.

use harness::{
    Client, Link, LinkManifest, Namespace, enforces_policies, eventually, in_namespace, link, serving_deployment,
};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

const GROUP: &str = "packets_egress";

fn web_db() -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Deployment/pg")
        .spec("networkPolicy", "Allow")
        .spec("ports", json!([{ "name": "http", "port": 8080 }]))
}

/// Denies these pods all ways out. Names then do not resolve, so the tests use addresses.
async fn deny_egress(ns: &Namespace, pods: &str) {
    ns.create_yaml(&format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: deny-egress}}, spec: {{podSelector: {pods}, policyTypes: [Egress]}}}}"
    ))
    .await;
}

async fn deny_ingress(ns: &Namespace) {
    ns.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny-ingress}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
        .await;
}

/// The names of the link's policies.
async fn policies(ns: &Namespace) -> Vec<String> {
    let labelled = ListParams::default().labels("app.kubernetes.io/managed-by=instancelink");
    let found = ns.api::<NetworkPolicy>().list(&labelled).await.expect("policies");
    found.iter().map(ResourceExt::name_any).collect()
}

async fn active(ns: &Namespace, manifest: LinkManifest) -> Link {
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

async fn gets(client: &Client, urls: &[String], text: &str) {
    for url in urls {
        client.fetches(url, text).await;
    }
}

async fn is_cut_off(client: &Client, urls: &[String]) {
    for url in urls {
        client.is_shut_out(url).await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_under_an_egress_deny_reaches_its_target_and_nothing_else_while_the_link_is_active() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        deny_egress(ns, "{matchLabels: {app: web}}").await;
        for name in ["pg", "pg2"] {
            ns.create_object(&serving_deployment(name, name)).await;
        }
        let (web, other) = tokio::join!(ns.source("web"), ns.client_pod("other"));
        let (pg, pg2) = (ns.urls_of("pg", 8080).await, ns.urls_of("pg2", 8080).await);
        is_cut_off(&web, &pg).await;
        let link = active(ns, web_db()).await;
        gets(&web, &pg, "pg from").await;
        is_cut_off(&web, &pg2).await;
        gets(&other, &pg, "pg from").await;
        let told = link.condition("Enforced", "True", "SourceIsolated").await.message;
        assert!(told.contains("(deny-egress)"), "{told}");
        let available = link.condition("Available", "True", "EndpointsReady").await.message;
        assert!(!available.contains("missing"), "{available}");

        link.retarget("Deployment/pg2").await;
        gets(&web, &pg2, "pg2 from").await;
        is_cut_off(&web, &pg).await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        is_cut_off(&web, &pg2).await;
        assert_eq!(policies(ns).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn both_halves_are_opened_where_both_ends_are_isolated_and_each_follows_the_policies_of_others() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        deny_ingress(ns).await;
        deny_egress(ns, "{}").await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        let (web, other) = tokio::join!(ns.source("web"), ns.client_pod("other"));
        let pg = ns.urls_of("pg", 8080).await;
        let manifest = web_db()
            .spec("addressing", "VirtualIP")
            .spec("ports", json!([{ "name": "web", "port": 80, "targetPort": "http" }]));
        let link = active(ns, manifest).await;
        let mut urls = pg.clone();
        let addresses = ns.cluster_ips("web-db-vip").await;
        urls.extend(addresses.iter().map(|address| harness::url(address, 80)));
        gets(&web, &urls, "pg from").await;
        is_cut_off(&other, &urls).await;
        assert_eq!(policies(ns).await.len(), 2);

        ns.object("networking.k8s.io/v1", "NetworkPolicy", "deny-egress")
            .delete()
            .await;
        let one_is_left = async || match policies(ns).await.as_slice() {
            [one] if !one.ends_with("-egress") => Ok(()),
            found => Err(format!("{found:?}")),
        };
        eventually("the half of the source goes", harness::SHORT, one_is_left).await;
        gets(&web, &urls, "pg from").await;
        deny_egress(ns, "{}").await;
        gets(&web, &urls, "pg from").await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        is_cut_off(&web, &urls).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_gets_out_into_another_namespace_with_its_consent_and_a_range_of_ports_is_opened_whole() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        in_namespace(async |data| {
            deny_egress(ns, "{}").await;
            let mut pg = serving_deployment("pg", "pg");
            let container = &mut pg["spec"]["template"]["spec"]["containers"][0];
            container["args"] = json!(["serve", "--port", "8080", "--port", "8081", "--port", "8082", "--port", "9000", "--text", "pg"]);
            data.create_object(&pg).await;
            let grant = data
                .create_object(&json!({
                    "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": "grant" },
                    "spec": {
                        "from": [{ "namespace": ns.name }], "to": [{ "kind": "Deployment", "name": "pg" }],
                        "allow": ["Endpoints", "NetworkPolicy"],
                    },
                }))
                .await;
            let web = ns.source("web").await;
            let port = |number: u16| json!({ "name": format!("p{number}"), "port": number });
            let manifest = web_db()
                .spec("targetInstanceRef", json!({ "kind": "Deployment", "name": "pg", "namespace": data.name }))
                .spec("ports", json!([port(8080), port(8081), port(8082)]));
            let link = active(ns, manifest).await;
            for number in [8080, 8081, 8082] {
                gets(&web, &data.urls_of("pg", number).await, "pg from").await;
            }
            is_cut_off(&web, &data.urls_of("pg", 9000).await).await;
            let found = ns.api::<NetworkPolicy>().get(&policies(ns).await.remove(0)).await.unwrap();
            let ports = serde_json::to_value(&found.spec.unwrap().egress.unwrap()[0].ports).unwrap();
            assert_eq!(ports, json!([{ "port": 8080, "endPort": 8082, "protocol": "TCP" }]));

            grant.patch(&json!({ "spec": { "allow": ["Endpoints"] } })).await;
            is_cut_off(&web, &data.urls_of("pg", 8081).await).await;
            grant.delete().await;
            link.reaches(Inactive).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_half_that_the_link_may_not_open_is_named_by_the_conditions_and_heals() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        deny_egress(ns, "{matchLabels: {tier: inner}}").await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        let web = ns.source("web").await;
        let pod = ns.pods_of("web").await.remove(0).name_any();
        ns.object("v1", "Pod", &pod)
            .patch(&json!({ "metadata": { "labels": { "tier": "inner" } } }))
            .await;
        let pg = ns.urls_of("pg", 8080).await;
        let link = active(ns, web_db()).await;
        gets(&web, &pg, "pg from").await;

        // A pod with the labels of the source that no policy isolates: a policy of the link would isolate it.
        let outer = ns.client_pod("web").await;
        let told = link.condition("Enforced", "False", "SourceNotIsolated").await.message;
        assert!(told.contains("not these: web"), "{told}");
        link.until("says which half is missing", |link| {
            let conditions = &link.status.as_ref().unwrap().conditions;
            let available = conditions.iter().find(|c| c.type_ == "Available").unwrap();
            available.message.contains("for the egress of the source is missing")
        })
        .await;
        is_cut_off(&web, &pg).await;
        gets(&outer, &pg, "pg from").await;

        ns.object("v1", "Pod", "web")
            .patch(&json!({ "metadata": { "labels": { "app": "other" } } }))
            .await;
        link.condition("Enforced", "True", "SourceIsolated").await;
        gets(&web, &pg, "pg from").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_ways_stay_open_while_the_target_is_deleted_without_its_pods_and_applied_again() {
    if !enforces_policies(GROUP).await {
        return;
    }
    in_namespace(async |ns| {
        deny_ingress(ns).await;
        deny_egress(ns, "{}").await;
        let manifest = serving_deployment("pg", "pg");
        let target = ns.create_object(&manifest).await;
        let (web, other) = tokio::join!(ns.source("web"), ns.client_pod("other"));
        let pg = ns.urls_of("pg", 8080).await;
        let link = active(ns, web_db()).await;
        gets(&web, &pg, "pg from").await;
        target.delete_with(&DeleteParams::orphan()).await;
        link.condition("ResolvedRefs", "False", "TargetNotFound").await;
        gets(&web, &pg, "pg from").await;
        is_cut_off(&other, &pg).await;
        assert_eq!(policies(ns).await.len(), 2);
        ns.create_object(&manifest).await;
        link.condition("ResolvedRefs", "True", "Resolved").await;
        gets(&web, &pg, "pg from").await;
        link.delete().await;
        link.is_gone().await;
        is_cut_off(&web, &pg).await;
    })
    .await;
}
