//! Two tenants, each with all rights in their own namespace and none elsewhere. What the one writes is as large as the API
//! server takes. It does not delay the links of the other, and what does not fit is told.
//!
//! Rules: contract#bounded-work, contract#own-thread, contract#bounded-objects.

use std::time::Duration;

use harness::{Link, Namespace, Reader, User, idle_deployment, in_namespace, link};
use instancelink_api::InstanceLink;
use instancelink_api::State::{Active, Inactive};
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long a link takes to be cut or restored in a quiet cluster, many times over.
const SOON: Duration = Duration::from_secs(10);

/// Pods that no node takes.
const PODS: usize = 100;
const POLICIES: usize = 6;
/// Each takes nine bytes: together 1.1 MB.
const VALUES: usize = 120_000;

/// Two namespaces, each with a client that has the rights of its editor.
async fn with_tenants(test: impl AsyncFnOnce(&Namespace, &Namespace)) {
    in_namespace(async |a| {
        in_namespace(async |b| {
            let busy = User::with_cluster_role(a, &format!("busy-{}", a.name), "edit").await;
            let quiet = User::with_cluster_role(b, &format!("quiet-{}", b.name), "edit").await;
            test(&busy.at_home(), &quiet.at_home()).await;
        })
        .await;
    })
    .await;
}

fn pending_pod(n: usize) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": format!("many-{n}"), "labels": { "app": "many" } },
        "spec": {
            "nodeSelector": { "no": "node" },
            "containers": [{ "name": "main", "image": "localhost/none", "imagePullPolicy": "Never" }],
        },
    })
}

/// A policy that isolates the pods `many`, and says so as expensively as it can.
fn long_policy(n: usize) -> Value {
    let values: Vec<String> = (0..VALUES).map(|value| format!("v{value:05}")).collect();
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": format!("long-{n}") },
        "spec": {
            "podSelector": { "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": values }] },
            "policyTypes": ["Ingress"],
        },
    })
}

async fn cut_and_restore(link: &Link) -> Duration {
    let began = Instant::now();
    link.annotate("deactivate").await.succeeds();
    link.reaches_within(Inactive, SOON).await;
    link.annotate("activate").await.succeeds();
    link.reaches_within(Active, SOON).await;
    began.elapsed()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn policies_with_a_million_values_delay_no_link_of_another_tenant() {
    with_tenants(async |busy, quiet| {
        for name in ["web", "pg"] {
            quiet.create_object(&idle_deployment(name)).await;
        }
        let own = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let own = quiet.link(own).await;
        own.reaches(Active).await;

        busy.create_object(&idle_deployment("web")).await;
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "many" },
            "spec": { "clusterIP": "None", "selector": { "app": "many" }, "ports": [{ "name": "pg", "port": 5432 }] },
        });
        busy.create_object(&service).await;
        for n in 0..PODS {
            busy.create_object(&pending_pod(n)).await;
        }
        for n in 0..POLICIES {
            busy.create_object(&long_policy(n)).await;
        }
        for n in 0..POLICIES {
            let costly = link(
                &format!("costly-{n}"),
                &format!("db{n}"),
                "Deployment/web",
                "Service/many",
            )
            .spec("networkPolicy", "Allow")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
            busy.link(costly).await;
        }
        for _ in 0..3 {
            let took = cut_and_restore(&own).await;
            assert!(took < SOON, "{took:?}");
        }
    })
    .await;
}

/// A Deployment with a selector of 1.1 MB.
fn large_deployment(name: &str) -> Value {
    let values: Vec<String> = (0..VALUES).map(|value| format!("v{value:05}")).collect();
    let selector = json!({
        "matchLabels": { "app": name },
        "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": values }],
    });
    let mut object = idle_deployment(name);
    object["spec"]["selector"] = selector;
    object
}

/// contract#bounded-objects
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_to_an_object_that_is_too_large_says_which_field_is_and_those_of_others_go_on() {
    with_tenants(async |busy, quiet| {
        for name in ["web", "pg"] {
            quiet.create_object(&idle_deployment(name)).await;
        }
        let own = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let own = quiet.link(own).await;
        own.reaches(Active).await;

        busy.create_object(&idle_deployment("web")).await;
        for n in 0..30 {
            busy.create_object(&large_deployment(&format!("large-{n}"))).await;
        }
        let to_large = link("web-large", "large", "Deployment/web", "Deployment/large-0")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let to_large = busy.link(to_large).await;
        let refs = to_large.condition("ResolvedRefs", "False", "Unusable").await;
        assert!(
            refs.message.contains("the field spec.selector is too large"),
            "{}",
            refs.message
        );
        for _ in 0..3 {
            let took = cut_and_restore(&own).await;
            assert!(took < SOON, "{took:?}");
        }
        let other = json!({ "targetInstanceRef": { "kind": "Deployment", "name": "web" } });
        to_large.edit(other).await;
        to_large.condition("ResolvedRefs", "True", "").await;
    })
    .await;
}

/// contract#environment-size
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_variables_do_not_fit_is_active_without_them_and_says_so() {
    in_namespace(async |ns| {
        for name in ["web", "pg"] {
            ns.create_object(&idle_deployment(name)).await;
        }
        let ports = |of: usize| -> Vec<Value> {
            let port = |n: usize| json!({ "name": format!("p{n}"), "port": 10_000 + 32 * of + n });
            (0..32).map(port).collect()
        };
        let mut links = Vec::new();
        for n in 0..60 {
            let alias = format!("a-database-with-a-long-name-{n:02}");
            let one = link(&format!("db-{n:02}"), &alias, "Deployment/web", "Deployment/pg")
                .spec("ports", ports(n))
                .spec("activation", json!({ "targetWaitSeconds": 0 }));
            links.push(ns.link(one).await);
        }
        let mut without = Vec::new();
        for one in links {
            one.reaches(Active).await;
            let status = one
                .until("is programmed or says why not", is_told)
                .await
                .status
                .unwrap_or_default();
            let programmed = status.conditions.iter().find(|c| c.type_ == "Programmed").unwrap();
            if programmed.status == "False" {
                assert_eq!(programmed.reason, "TooLarge");
                assert!(
                    programmed.message.contains("outputs: {environment: None}"),
                    "{}",
                    programmed.message
                );
                without.push((one, programmed.message.clone()));
            }
        }
        assert!(!without.is_empty() && without.len() < 60, "{} of 60", without.len());
        let (one, message) = without.remove(0);
        Reader::author(ns).await.writes(&one, &message).await;
        one.condition("Programmed", "True", "Programmed").await;
    })
    .await;
}

fn is_told(link: &InstanceLink) -> bool {
    let conditions = link.status.iter().flat_map(|status| &status.conditions);
    let mut programmed = conditions.into_iter().filter(|c| c.type_ == "Programmed");
    programmed.any(|c| ["Programmed", "TooLarge"].contains(&c.reason.as_str()))
}
