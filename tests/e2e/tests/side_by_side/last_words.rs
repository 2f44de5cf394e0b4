//! A source whose object goes before its pods: they end well, because the link stays active for them.
//!
//! Rule: contract#delayed-hold.

use std::time::{Duration, Instant};

use harness::{
    Client, Link, Namespace, Object, Resolver, SHORT, Watch, eventually, in_namespace, link, serving_deployment,
    serving_set, slow_to_end,
};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::Value;

/// A source with one pod and an active link to `pg`; its pod is the client.
async fn uses_pg(ns: &Namespace, source: &Value) -> (Object, Link, Watch, Client) {
    let target = serving_deployment("pg", "pg");
    ns.create_object(&target).await;
    ns.ready_addresses("pg", 1).await;
    let object = ns.create_object(source).await;
    ns.ready_addresses("web", 1).await;
    let kind = source["kind"].as_str().unwrap();
    let manifest = link("web-db", "db", &format!("{kind}/web"), "Deployment/pg");
    let (link, mut watch) = ns.watched_link(manifest).await;
    watch.walks([Requested, Activating, Active]).await;
    let pod = ns.pods_of("web").await.remove(0).name_any();
    let client = ns.client_in(Resolver::Musl, &pod).await;
    (object, link, watch, client)
}

async fn shared_children_exist(ns: &Namespace) -> bool {
    for (api_version, kind) in [("v1", "Service"), ("v1", "ConfigMap")] {
        let found = ns.object(api_version, kind, "web-links").find().await;
        if found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()) {
            return false;
        }
    }
    true
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn pods_of_a_deleted_deployment_use_the_alias_until_they_have_ended() {
    in_namespace(async |ns| {
        let source = slow_to_end(serving_deployment("web", "web"), 10);
        let (object, link, mut watch, client) = uses_pg(ns, &source).await;
        let url = format!("http://db.web-links.{}.svc:8080/", ns.name);
        client.fetches(&url, "pg from").await;
        let poll = client.poll(&url, Duration::from_millis(50), 140);
        object.delete_with(&DeleteParams::background()).await;
        link.condition("HoldDelayed", "True", "PodsRemain").await;
        link.condition("ResolvedRefs", "False", "SourceNotFound").await;
        poll.loses_nothing().await;
        assert!(shared_children_exist(ns).await);

        watch
            .walks_within([Deactivating, Inactive], Duration::from_secs(30))
            .await;
        let gone = Instant::now();
        ns.has_no_residue().await;
        assert!(!shared_children_exist(ns).await, "{:?}", gone.elapsed());
        link.condition("Ready", "False", "Held").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_stateful_set_that_is_deleted_without_its_pods_and_applied_again_finds_its_link_active() {
    in_namespace(async |ns| {
        let source = serving_set("StatefulSet", "web", "web");
        let (object, link, mut watch, client) = uses_pg(ns, &source).await;
        let url = format!("http://db.web-links.{}.svc:8080/", ns.name);
        client.fetches(&url, "pg from").await;
        let poll = client.poll(&url, Duration::from_millis(50), 200);
        object.delete_with(&DeleteParams::orphan()).await;
        link.condition("HoldDelayed", "True", "PodsRemain").await;
        let again = ns.create_object(&source).await.get().await.metadata.uid;
        link.until("belongs to the new source", |l| {
            l.status.as_ref().unwrap().instance_id == again
        })
        .await;
        poll.loses_nothing().await;
        watch.rests().await;
        link.condition("ResolvedRefs", "True", "Resolved").await;
        let directory = ns.object("v1", "Service", "web-links");
        eventually("the directory is the new source's", SHORT, async || {
            let labels = directory.get().await.labels().clone();
            let right = labels.get("instancelink.dev/source-uid") == again.as_ref();
            if right { Ok(()) } else { Err(format!("{labels:?}")) }
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn orphaned_pods_keep_a_link_active_for_a_minute_and_no_longer() {
    in_namespace(async |ns| {
        let source = serving_deployment("web", "web");
        let (object, link, mut watch, _) = uses_pg(ns, &source).await;
        let deleted = Instant::now();
        object.delete_with(&DeleteParams::orphan()).await;
        link.condition("HoldDelayed", "True", "PodsRemain").await;
        watch
            .walks_within([Deactivating, Inactive], Duration::from_secs(90))
            .await;
        let took = deleted.elapsed();
        assert!(
            took >= Duration::from_secs(55) && took < Duration::from_secs(75),
            "{took:?}"
        );
        assert_eq!(ns.pods_of("web").await.len(), 1);
        ns.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_hold_for_a_source_without_pods_is_not_delayed() {
    in_namespace(async |ns| {
        ns.fixed_service("pg").await;
        let mut source = serving_deployment("web", "web");
        source["spec"]["replicas"] = 0.into();
        let object = ns.create_object(&source).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg");
        let (_, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        object.delete().await;
        watch
            .walks_within([Deactivating, Inactive], Duration::from_secs(10))
            .await;
    })
    .await;
}
