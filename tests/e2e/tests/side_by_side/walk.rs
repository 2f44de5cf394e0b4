//! The states of a link during its life, as one watch sees them: none is missing, none is added.
//!
//! Rule: contract#state-before-work.

use std::time::Duration;

use harness::{idle_deployment, in_namespace, link, serving_deployment};
use instancelink_api::Phase;
use instancelink_api::State::{
    Activating, Active, Deactivating, Inactive, Purged, Purging, Registering, Removed, Removing, Requested, Restoring,
    UpdatingActive, UpdatingInactive,
};
use serde_json::json;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_applied_link_goes_from_requested_through_activating_to_active() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        watch.rests().await;
        link.condition("Ready", "True", "").await;
        let history = link.status().await.history;
        assert!(
            history.iter().any(|h| h.state == Registering),
            "registering stands in the history: {history:?}"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_to_a_real_deployment_waits_for_its_pod_and_becomes_available() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("activation", json!({ "targetWaitSeconds": 120 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch
            .walks_within([Requested, Activating, Active], Duration::from_secs(90))
            .await;
        // It was not active before the pod was ready.
        let active = watch
            .versions()
            .into_iter()
            .find(|l| l.status.as_ref().is_some_and(|s| s.state == Active))
            .unwrap();
        let available = active
            .status
            .unwrap()
            .conditions
            .into_iter()
            .find(|c| c.type_ == "Available")
            .unwrap();
        assert_eq!(available.status, "True", "{available:?}");
        link.condition("Available", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_applied_before_its_source_waits_in_registering_and_then_continues() {
    in_namespace(async |ns| {
        ns.fixed_service("pg").await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Registering]).await;
        watch.rests().await;
        link.condition("ResolvedRefs", "False", "SourceNotFound").await;
        link.condition("Reconciling", "True", "").await;
        ns.create_object(&idle_deployment("web")).await;
        watch.walks([Activating, Active]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn deactivate_parks_an_active_link_and_activate_brings_it_back() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        watch.rests().await;
        link.action_is(Phase::Completed).await;
        link.condition("Ready", "True", "").await;
        link.condition("Available", "False", "NotActive").await;
        ns.has_no_residue().await;
        link.act("activate").await.is_accepted();
        watch.walks([Activating, Active]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_manifest_says_inactive_rests_there_without_being_up_once() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("desiredState", "Inactive");
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Inactive]).await;
        watch.rests().await;
        link.condition("Ready", "True", "").await;
        link.edit(json!({ "desiredState": "Active" })).await;
        watch.walks([Activating, Active]).await;
        link.edit(json!({ "desiredState": "Inactive" })).await;
        watch.walks([Deactivating, Inactive]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn another_target_is_an_update_of_an_active_link_and_of_an_inactive_one() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        link.retarget("Service/pg2").await;
        watch.walks([UpdatingActive, Active]).await;
        watch.rests().await;
        assert_eq!(link.status().await.target.unwrap().name, "pg2");
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.retarget("Service/pg").await;
        watch.walks([UpdatingInactive, Inactive]).await;
        watch.rests().await;
        link.act("activate").await.is_accepted();
        watch.walks([Activating, Active]).await;
        assert_eq!(link.status().await.target.unwrap().name, "pg");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn edits_of_name_and_description_move_no_state() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        let edited = link
            .edit(json!({ "name": "the database", "description": "orders and bills" }))
            .await;
        let generation = edited.metadata.generation;
        let seen = link
            .until("has taken note of the edit", |l| {
                l.status.as_ref().is_some_and(|s| s.observed_generation == generation)
            })
            .await;
        let status = seen.status.unwrap();
        assert_eq!(status.name.as_deref(), Some("the database"));
        assert_eq!(status.description.as_deref(), Some("orders and bills"));
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_is_restored_inactive_and_then_activated() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Removing, Removed]).await;
        watch.rests().await;
        assert!(link.status().await.removed.is_some());
        link.condition("Ready", "True", "").await;
        link.act("restore").await.is_accepted();
        watch.walks([Restoring, Inactive]).await;
        watch.rests().await;
        assert!(link.status().await.removed.is_none());
        link.act("activate").await.is_accepted();
        watch.walks([Activating, Active]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn remove_on_an_active_link_deactivates_it_first() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_restored_link_whose_manifest_says_active_goes_on_to_active() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("desiredState", "Active");
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        link.act("restore").await.is_accepted();
        watch.walks([Restoring, Inactive, Activating, Active]).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_purged_link_is_scrubbed_and_its_object_goes_after_its_ttl() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
            .spec("description", "who pays whom")
            .spec("ttlSecondsAfterPurged", 3);
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        link.act("purge").await.is_accepted();
        watch.walks([Purging, Purged]).await;
        let status = watch.versions().pop().unwrap().status.unwrap();
        assert_eq!(status.description, None, "user text is scrubbed from the status");
        assert!(
            status.history.iter().all(|h| matches!(h.state, Purging | Purged)),
            "{:?}",
            status.history
        );
        watch.walks_and_is_gone([]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_purged_link_that_a_gitops_tool_owns_is_left_to_that_tool() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
            .annotation(
                "argocd.argoproj.io/tracking-id",
                "shop:instancelink.dev/InstanceLink:shop/web-db",
            )
            .spec("ttlSecondsAfterPurged", 0);
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        link.reaches(Removed).await;
        link.act("purge").await.is_accepted();
        watch
            .walks([Deactivating, Inactive, Removing, Removed, Purging, Purged])
            .await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_is_purged_by_itself_after_ttl_seconds_after_removed() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("ttlSecondsAfterRemoved", 3);
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        watch.rests().await;
        watch.walks([Purging, Purged]).await;
        let last = link.status().await.last_action.unwrap();
        assert_eq!(
            (last.intent.action.as_str(), last.intent.manager.as_str()),
            ("purge", "ttlSecondsAfterRemoved")
        );
    })
    .await;
}
