//! The alias as a pod sees it: while the link is active it resolves to the ready pods of the target, and follows them.
//!
//! Rule: lifecycle#only-target-pods.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{
    Link, LinkManifest, Namespace, Try, eventually, idle_deployment, in_namespace, link, reference, serving_deployment,
};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested, UpdatingActive};
use kube::ResourceExt as _;
use serde_json::json;

/// Long enough for a pod to start on a busy machine.
const PODS_START: Duration = Duration::from_secs(90);

fn web_db(target: &str) -> LinkManifest {
    link("web-db", "db", "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 120 }))
}

/// The fully qualified name of an alias of `web`.
fn fqdn(ns: &Namespace, alias: &str) -> String {
    format!("{alias}.web-links.{}.svc.cluster.local", ns.name)
}

/// `web` without pods, `pg` with some, and an active link between them.
async fn web_uses_pg(ns: &Namespace, replicas: u32) -> Link {
    ns.create_object(&idle_deployment("web")).await;
    let mut pg = serving_deployment("pg", "pg");
    pg["spec"]["replicas"] = replicas.into();
    ns.create_object(&pg).await;
    let link = ns.link(web_db("Deployment/pg")).await;
    link.reaches_within(Active, PODS_START).await;
    link
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_alias_resolves_to_the_targets_pods_only_while_the_link_is_active() {
    in_namespace(async |ns| {
        let (link, client) = tokio::join!(web_uses_pg(ns, 2), ns.client_pod("client"));
        let pods = ns.ready_addresses("pg", 2).await;
        let fqdn = link.status().await.fqdn.unwrap();
        let name = format!("db.web-links.{}.svc", ns.name);
        assert!(fqdn.starts_with(&format!("{name}.")), "{fqdn}");
        for name in [name.as_str(), fqdn.as_str(), "db.web-links"] {
            client.resolves_to(name, &pods).await;
        }
        client.fetches(&format!("http://{name}:8080/"), "pg from pg-").await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        for name in [name.as_str(), fqdn.as_str(), "db.web-links"] {
            client.resolves_to_nothing(name).await;
        }
        link.annotate("activate").await.succeeds();
        client.resolves_to(&name, &pods).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_plain_alias_resolves_with_the_directory_as_search_domain() {
    in_namespace(async |ns| {
        let search = format!("web-links.{}.svc.cluster.local", ns.name);
        let spec = json!({ "dnsConfig": { "searches": [search] } });
        let (_link, client) = tokio::join!(web_uses_pg(ns, 1), ns.client_pod_with("client", &spec));
        client.resolves_to("db", &ns.ready_addresses("pg", 1).await).await;
        client.fetches("http://db:8080/", "pg from pg-").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_client_that_polls_the_alias_sees_no_failure_when_the_link_is_retargeted() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        for name in ["pg", "pg2"] {
            ns.create_object(&serving_deployment(name, name)).await;
        }
        let (link, mut watch) = ns.watched_link(web_db("Deployment/pg")).await;
        watch.walks_within([Requested, Activating, Active], PODS_START).await;
        ns.ready_addresses("pg2", 1).await;
        let targets = ["Deployment/pg2", "Deployment/pg", "Deployment/pg2"].map(reference);
        let tries = link.loses_nothing_when_retargeted(&mut watch, &targets).await;
        let servers: BTreeSet<_> = tries.iter().map(Try::server).collect();
        assert_eq!(servers, ["pg", "pg2"].into(), "both targets have answered");
        assert_eq!(tries.last().unwrap().server(), "pg2");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_new_target_that_is_not_ready_is_not_waited_for() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns.watched_link(web_db("Service/pg")).await;
        watch.walks([Requested, Activating, Active]).await;
        link.retarget("Deployment/nobody").await;
        watch
            .walks_within([UpdatingActive, Active], Duration::from_secs(10))
            .await;
        link.condition("Available", "False", "TargetNotFound").await;
        ns.has_addresses_in("web-links", &BTreeSet::new()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn endpoints_follow_the_targets_pods_up_down_and_through_their_death() {
    in_namespace(async |ns| {
        web_uses_pg(ns, 1).await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 1).await)
            .await;
        ns.scale("pg", 3).await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 3).await)
            .await;
        ns.scale("pg", 2).await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 2).await)
            .await;
        let victim = ns.pods_of("pg").await.remove(0).name_any();
        ns.object("v1", "Pod", &victim).delete().await;
        ns.has_addresses_in("web-links", &ns.ready_addresses("pg", 2).await)
            .await;
        ns.scale("pg", 0).await;
        ns.has_addresses_in("web-links", &BTreeSet::new()).await;
        let link = Link::at(ns, "web-db");
        link.condition("Available", "False", "NoReadyEndpoints").await;
        link.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_that_is_not_ready_does_not_answer_unless_the_link_publishes_it() {
    in_namespace(async |ns| {
        let link = web_uses_pg(ns, 2).await;
        let both = ns.ready_addresses("pg", 2).await;
        ns.has_addresses_in("web-links", &both).await;
        let pod = ns.pods_of("pg").await.remove(0);
        ns.set_ready(&pod, false).await;
        let rest = ns.ready_addresses("pg", 1).await;
        ns.has_addresses_in("web-links", &rest).await;
        link.edit(json!({ "publishNotReadyAddresses": true })).await;
        ns.has_addresses_in("web-links", &both).await;
        link.edit(json!({ "publishNotReadyAddresses": false })).await;
        ns.has_addresses_in("web-links", &rest).await;
        ns.set_ready(&pod, true).await;
        ns.has_addresses_in("web-links", &both).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_becomes_ready_late_makes_the_link_active_then() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let mut pg = serving_deployment("pg", "pg");
        pg["spec"]["template"]["spec"]["containers"][0]["args"]
            .as_array_mut()
            .unwrap()
            .push("--not-ready".into());
        ns.create_object(&pg).await;
        let (link, mut watch) = ns.watched_link(web_db("Deployment/pg")).await;
        watch.walks([Requested, Activating]).await;
        let pod = eventually("the pod runs", PODS_START, async || {
            let pod = ns.pods_of("pg").await.pop().ok_or("no pod")?;
            let running = pod
                .status
                .as_ref()
                .is_some_and(|s| s.phase.as_deref() == Some("Running"));
            if running {
                Ok(pod)
            } else {
                Err(format!("{:?}", pod.status))
            }
        })
        .await;
        watch.rests().await;
        ns.set_ready(&pod, true).await;
        watch.walks([Active]).await;
        link.condition("Available", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn links_of_one_source_share_a_directory_and_do_not_disturb_each_other() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let db = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let cache = ns
            .link(link("web-cache", "cache", "Deployment/web", "Service/pg2"))
            .await;
        tokio::join!(db.reaches(Active), cache.reaches(Active));
        let client = ns.client_pod("client").await;
        let ip = async |service: &str| {
            let found = ns.object("v1", "Service", service).get().await;
            BTreeSet::from([found.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap()])
        };
        let (pg, pg2) = (ip("pg").await, ip("pg2").await);
        client.resolves_to("db.web-links", &pg).await;
        client.resolves_to("cache.web-links", &pg2).await;
        let directory = ns.object("v1", "Service", "web-links");
        let uid = directory.get().await.metadata.uid;
        db.act("deactivate").await.is_accepted();
        db.reaches(Inactive).await;
        client.resolves_to_nothing(&fqdn(ns, "db")).await;
        client.resolves_to("cache.web-links", &pg2).await;
        assert_eq!(
            directory.get().await.metadata.uid,
            uid,
            "the directory stands as long as one link needs it"
        );
        cache.act("deactivate").await.is_accepted();
        cache.reaches(Inactive).await;
        assert!(
            directory.find().await.is_none(),
            "its absence is confirmed before the last link is inactive"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_alias_of_a_draining_link_does_not_resolve_but_its_slices_stay_until_the_drain_ends() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.fixed_service("pg").await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("deactivation", json!({ "drainSeconds": 6 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        let client = ns.client_pod("client").await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("deactivate").await.is_accepted();
        let started = std::time::Instant::now();
        watch.walks([Deactivating]).await;
        client.resolves_to_nothing(&fqdn(ns, "db")).await;
        assert!(started.elapsed() < Duration::from_secs(5), "the name stops at once");
        let slice = ns
            .object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4")
            .get()
            .await;
        assert!(
            slice
                .metadata
                .annotations
                .unwrap()
                .contains_key("instancelink.dev/drain-from")
        );
        watch.walks([Inactive]).await;
        assert!(
            started.elapsed() > Duration::from_secs(5),
            "inactive after {:?}",
            started.elapsed()
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_is_activated_while_it_drains_is_inactive_once_and_then_active() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("deactivation", json!({ "drainSeconds": 3 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating]).await;
        link.act("activate").await.is_accepted();
        watch.walks([Inactive, Activating, Active]).await;
    })
    .await;
}
