//! A link with a hold is inactive. It continues without an action of the user when the cause is gone.
//!
//! Rule: contract#holds.

use std::time::{Duration, Instant};

use harness::{SHORT, eventually, fixed_service, idle_deployment, in_namespace, link, serving_deployment};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_source_is_deleted_is_parked_and_comes_back_with_it() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        ns.object("apps/v1", "Deployment", "web").delete().await;
        watch.walks([Deactivating, Inactive]).await;
        watch.rests().await;
        link.condition("ResolvedRefs", "False", "SourceNotFound").await;
        link.condition("Ready", "False", "Held").await;
        ns.has_no_residue().await;
        ns.create_object(&idle_deployment("web")).await;
        watch.walks([Activating, Active]).await;
        link.condition("Ready", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_outlives_its_target_and_heals_when_one_of_that_name_is_back() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        let old = ns.addresses_in("web-links").await;
        ns.object("v1", "Service", "pg").delete().await;
        link.condition("Available", "False", "TargetNotFound").await;
        link.condition("ResolvedRefs", "False", "TargetNotFound").await;
        eventually(
            "the address of the lost target is gone",
            Duration::from_secs(5),
            async || {
                let found = ns.addresses_in("web-links").await;
                if found.is_empty() {
                    Ok(())
                } else {
                    Err(format!("{found:?}"))
                }
            },
        )
        .await;
        ns.create_object(&fixed_service("pg")).await;
        link.condition("Available", "True", "").await;
        let new = ns.addresses_in("web-links").await;
        assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_to_nothing_is_active_and_says_so() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let yaml = "
            apiVersion: instancelink.dev/v1alpha1
            kind: InstanceLink
            metadata: {name: web-db}
            spec:
              linkName: db
              instanceRef: {kind: Deployment, name: web}
              targetInstanceRef: null
        ";
        let (link, mut watch) = ns.watched_link(serde_yaml_ng::from_str::<Value>(yaml).unwrap()).await;
        watch.walks([Requested, Activating, Active]).await;
        link.condition("ResolvedRefs", "True", "NoTarget").await;
        link.condition("Available", "False", "NoTarget").await;
        link.condition("Ready", "True", "").await;
        assert_eq!(link.status().await.target_instance_id, None);
        link.retarget("Service/pg").await;
        link.condition("Available", "True", "").await;
        link.edit(json!({ "targetInstanceRef": null })).await;
        link.condition("Available", "False", "NoTarget").await;
        assert_eq!(link.reaches(Active).await.status.unwrap().target, None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_never_starts_is_waited_for_no_longer_than_the_spec_says() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let mut never = serving_deployment("pg", "pg");
        never["spec"]["template"]["spec"]["containers"][0]["image"] = "localhost/no-such-image:1".into();
        ns.create_object(&never).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 4 }));
        let started = Instant::now();
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        assert!(
            started.elapsed() >= Duration::from_secs(4),
            "active after {:?}",
            started.elapsed()
        );
        link.condition("Available", "False", "NoReadyEndpoints").await;
        link.condition("Ready", "True", "").await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_is_not_there_yet_is_waited_for_and_joins_later() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("activation", json!({ "targetWaitSeconds": 2 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.condition("Available", "False", "TargetNotFound").await;
        ns.fixed_service("pg").await;
        link.condition("Available", "True", "").await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_that_is_replaced_while_its_children_are_orphaned_gets_them_back() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        ns.kubectl(&["delete", "deployment", "web", "--cascade=orphan"])
            .await
            .succeeds();
        let source = ns.create_object(&idle_deployment("web")).await;
        let uid = source.get().await.metadata.uid;
        link.until("belongs to the new source", |l| {
            let status = l.status.as_ref().unwrap();
            status.state == Active && status.instance_id == uid
        })
        .await;
        for (api_version, kind) in [("v1", "Service"), ("v1", "ConfigMap")] {
            let child = ns.object(api_version, kind, "web-links");
            eventually("it is labelled with the new source", SHORT, async || {
                let found = child.find().await.ok_or("there is none")?;
                let labels = found.metadata.labels.clone().unwrap_or_default();
                let right = labels.get("instancelink.dev/source-uid") == uid.as_ref()
                    && found.metadata.deletion_timestamp.is_none();
                if right { Ok(()) } else { Err(format!("{labels:?}")) }
            })
            .await;
        }
    })
    .await;
}
