//! Conflicts: links of one alias, sources of one directory, and foreign objects with the name of a child.
//!
//! Rules: lifecycle#alias-queue, lifecycle#directory-queue, contract#name-taken.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use harness::{
    eventually, fixed_service, idle_deployment, in_namespace, link, serving_deployment, serving_pod, serving_set,
};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Registering, Removed, Removing, Requested};
use instancelink_api::status::Transitioning;
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_first_link_that_claims_an_alias_has_it_and_the_next_one_gets_it_when_it_is_free() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (first, mut watch_first) = ns
            .watched_link(link("first", "db", "Deployment/web", "Service/pg"))
            .await;
        watch_first.walks([Requested, Activating, Active]).await;
        ns.next_second().await;
        let (second, mut watch) = ns
            .watched_link(link("second", "db", "Deployment/web", "Service/pg2"))
            .await;
        watch.walks([Requested, Registering]).await;
        watch.rests().await;
        let condition = second.condition("Accepted", "False", "AliasConflict").await;
        assert!(
            condition.message.contains("first"),
            "it should say who has the alias: {}",
            condition.message
        );
        second.condition("Stalled", "True", "").await;
        assert_eq!(second.status().await.transitioning, Transitioning::Error);
        let told = ns.events_of(&second, "AliasConflict", 1).await;
        assert_eq!(told[0].type_.as_deref(), Some("Warning"));
        // An inactive link keeps its claim.
        first.act("deactivate").await.is_accepted();
        watch_first.walks([Deactivating, Inactive]).await;
        watch.rests().await;
        // A removed link gives up its claim.
        first.act("remove").await.is_accepted();
        watch_first.walks([Removing, Removed]).await;
        watch.walks([Activating, Active]).await;
        // It does not get the alias back while the second link claims it.
        let before = first.seq().await;
        first.action("restore").await;
        let rejected = first.acknowledged_after(before).await.is_rejected("AliasTaken");
        assert!(
            rejected.action.message.contains("second"),
            "{}",
            rejected.action.message
        );
        watch_first.rests().await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_has_the_alias_is_not_evicted_by_an_older_one() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let older = ns
            .link(link("older", "db", "Deployment/web", "Service/pg").action("remove"))
            .await;
        older.reaches(Removed).await;
        let (_younger, mut watch) = ns
            .watched_link(link("younger", "db", "Deployment/web", "Service/pg2"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        // Without its status and memory, the older link is a new link with an older creation time.
        let hold = harness::Hold::links(ns).await;
        ns.kubectl_with(
            &["replace", "-f", "-"],
            &link("older", "db", "Deployment/web", "Service/pg").to_yaml(),
        )
        .await
        .succeeds();
        older.wipe_status().await;
        hold.lift().await;
        older.condition("Accepted", "False", "AliasConflict").await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn of_two_sources_with_one_name_the_first_to_claim_has_the_directory() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let mut set = serving_set("StatefulSet", "web", "x");
        set["spec"]["replicas"] = 0.into();
        ns.create_object(&set).await;
        let (first, mut watch_first) = ns
            .watched_link(link("first", "db", "Deployment/web", "Service/pg"))
            .await;
        watch_first.walks([Requested, Activating, Active]).await;
        ns.next_second().await;
        let (second, mut watch) = ns
            .watched_link(link("second", "db", "StatefulSet/web", "Service/pg2"))
            .await;
        watch.walks([Requested, Registering]).await;
        let condition = second.condition("Accepted", "False", "DirectoryConflict").await;
        assert!(
            condition.message.contains("link first already has the directory"),
            "{}",
            condition.message
        );
        second.condition("Stalled", "True", "").await;
        watch.rests().await;
        first.delete().await;
        first.is_gone().await;
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_foreign_service_with_the_name_of_the_directory_is_left_alone() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let stranger = ns.create_object(&fixed_service("web-links")).await;
        let before = stranger.get().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating]).await;
        let condition = link.condition("Programmed", "False", "NameTaken").await;
        assert!(
            condition.message.contains("web-links"),
            "it names the object: {}",
            condition.message
        );
        link.condition("Stalled", "True", "").await;
        assert_eq!(link.status().await.transitioning, Transitioning::Error);
        watch.rests().await;
        assert_eq!(stranger.get().await, before);
        let joined = ns.addresses_in("web-links").await;
        assert!(
            joined.is_empty(),
            "a slice would join the stranger's traffic: {joined:?}"
        );
        stranger.delete().await;
        watch.walks([Active]).await;
        link.condition("Programmed", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_foreign_service_that_takes_the_name_of_the_directory_gets_none_of_its_traffic() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        // The directory becomes foreign: another client replaces its labels and owner.
        let hold = harness::Hold::writes(ns, "services", &["CREATE", "UPDATE", "DELETE"]).await;
        let directory = ns.object("v1", "Service", "web-links");
        directory.delete().await;
        let stranger = ns.create_object(&fixed_service("web-links")).await;
        hold.lift().await;
        link.condition("Programmed", "False", "NameTaken").await;
        eventually(
            "no slice of ours is at the stranger's Service",
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
        watch.rests().await;
        stranger.delete().await;
        link.condition("Programmed", "True", "").await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn foreign_slices_and_config_maps_with_the_name_of_a_child_are_left_alone() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let map = ns
            .create_yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: web-links}, data: {MINE: x}}")
            .await;
        let slice = ns
            .create_yaml(
                "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-db-v4}, \
                 addressType: IPv4, endpoints: []}",
            )
            .await;
        let before = (map.get().await, slice.get().await);
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating]).await;
        link.condition("Programmed", "False", "NameTaken").await;
        watch.rests().await;
        assert_eq!((map.get().await, slice.get().await), before);
        map.delete().await;
        slice.delete().await;
        watch.walks([Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_foreign_pod_with_the_labels_of_a_deployment_is_no_endpoint() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.create_object(&serving_pod("stranger", &[("app", "pg")], "stranger"))
            .await;
        let both = ns.ready_addresses("pg", 2).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 90 }));
        let link = ns.link(manifest).await;
        link.reaches_within(Active, Duration::from_secs(90)).await;
        link.condition("Available", "True", "").await;
        let strangers = harness::addresses_of(&ns.api::<Pod>().get("stranger").await.unwrap());
        let own: BTreeSet<IpAddr> = both.difference(&strangers).copied().collect();
        assert_eq!(ns.addresses_in("web-links").await, own, "of {both:?}");
    })
    .await;
}
