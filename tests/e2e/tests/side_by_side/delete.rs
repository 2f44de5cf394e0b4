//! A user deletes a link, in each state and in each way. No object of the link remains.
//!
//! Rules: contract#delete-is-not-held-up, lifecycle#delete-through-purging.

use std::time::Duration;

use harness::{Hold, Link, Namespace, Object, Watch, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{
    self, Activating, Active, Deactivating, Inactive, Purged, Purging, Registering, Removed, Removing, Requested,
    Restoring, UpdatingActive, UpdatingInactive,
};
use serde_json::json;

/// Holds a link in `state` and deletes it. The link must pass the states of `way` and then be gone.
async fn deleted_in(state: State, way: &[State]) {
    in_namespace(async |ns| {
        let staged = ns.stage(state, &["web-db"]).await;
        let mut watch = Watch::start(ns, "web-db").await;
        let deleted = &staged.links[0];
        if state == Requested {
            // The hold refuses each write of the status. Without this one too, the deletion would end before a state is written.
            let finalizer = Hold::finalizer(ns).await;
            deleted.delete().await;
            staged.lift().await;
            finalizer.lift().await;
        } else {
            deleted.delete().await;
        }
        watch.walks_and_is_gone(way).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_before_the_operator_saw_it_is_purged() {
    deleted_in(Requested, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_it_waits_for_its_source_is_purged() {
    deleted_in(Registering, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_activating_is_taken_down_first() {
    deleted_in(Activating, &[Deactivating, Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_that_is_deleted_is_taken_down_first() {
    deleted_in(Active, &[Deactivating, Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_its_target_is_changed_is_taken_down_first() {
    deleted_in(UpdatingActive, &[Deactivating, Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_deactivating_is_purged_without_being_inactive() {
    deleted_in(Deactivating, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_inactive_link_that_is_deleted_is_purged() {
    deleted_in(Inactive, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_inactive_link_deleted_while_its_target_is_changed_is_purged() {
    deleted_in(UpdatingInactive, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_removing_is_purged() {
    deleted_in(Removing, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_that_is_deleted_is_purged() {
    deleted_in(Removed, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_restoring_is_purged() {
    deleted_in(Restoring, &[Purging]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_deleted_while_purging_is_gone() {
    deleted_in(Purging, &[]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_purged_link_that_is_deleted_is_gone() {
    deleted_in(Purged, &[]).await;
}

async fn active_link(ns: &Namespace) -> (Link, Watch) {
    ns.web_and_two_databases().await;
    let (link, mut watch) = ns
        .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
        .await;
    watch.walks([Requested, Activating, Active]).await;
    (link, watch)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_delete_returns_when_the_data_plane_is_gone() {
    in_namespace(async |ns| {
        let (_link, mut watch) = active_link(ns).await;
        ns.kubectl(&["delete", "il", "web-db", "--timeout=30s"])
            .await
            .succeeds();
        let left = harness::residue_of(ns).await;
        assert!(left.is_empty(), "{left:?}");
        watch.walks_and_is_gone([Deactivating, Purging]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_foreground_delete_removes_the_children_and_the_operator_creates_none_again() {
    in_namespace(async |ns| {
        let (_link, mut watch) = active_link(ns).await;
        let old = ns.slices().await;
        assert!(!old.is_empty());
        let delete = ["delete", "il", "web-db", "--cascade=foreground", "--timeout=30s"];
        ns.kubectl(&delete).await.succeeds();
        watch.walks_and_is_gone([Deactivating, Purging]).await;
        assert!(ns.slices().await.is_empty());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn children_are_swept_after_a_user_removed_the_finalizer_and_deleted_the_link() {
    in_namespace(async |ns| {
        let (link, _watch) = active_link(ns).await;
        // A running operator would restore the finalizer before the test deletes the link.
        let hold = Hold::links(ns).await;
        link.object().strip_finalizers().await;
        link.delete().await;
        link.is_gone().await;
        hold.lift().await;
        ns.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn children_are_swept_after_a_user_removed_the_finalizer_of_a_link_being_deleted() {
    in_namespace(async |ns| {
        let (link, _watch) = active_link(ns).await;
        let hold = Hold::links(ns).await;
        link.delete().await;
        link.object().strip_finalizers().await;
        link.is_gone().await;
        hold.lift().await;
        ns.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_finalizer_that_a_user_removed_is_restored() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.object().strip_finalizers().await;
        link.until("has its finalizer again", |l| {
            l.metadata.finalizers.as_ref().is_some_and(|f| !f.is_empty())
        })
        .await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_source_and_target_are_gone_can_be_deleted() {
    in_namespace(async |ns| {
        let (link, _watch) = active_link(ns).await;
        ns.object("apps/v1", "Deployment", "web").delete().await;
        ns.object("v1", "Service", "pg").delete().await;
        link.delete().await;
        link.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_with_links_in_many_states_can_be_deleted() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let up = ns.link(link("up", "db", "Deployment/web", "Service/pg")).await;
        let draining = link("draining", "drained", "Deployment/web", "Service/pg")
            .spec("deactivation", json!({ "drainSeconds": 600 }));
        let draining = ns.link(draining).await;
        let parked = link("parked", "cache", "Deployment/web", "Service/pg").spec("desiredState", "Inactive");
        let parked = ns.link(parked).await;
        let waiting = ns.link(link("waiting", "db", "Deployment/missing", "Service/pg")).await;
        tokio::join!(
            up.reaches(Active),
            draining.reaches(Active),
            parked.reaches(Inactive),
            waiting.reaches(Registering)
        );
        let namespace = Object::named(&ns.client, "", "v1", "Namespace", &ns.name);
        namespace.delete_with(&kube::api::DeleteParams::default()).await;
        eventually(
            "the namespace is gone",
            Duration::from_mins(1),
            async || match namespace.find().await {
                None => Ok(()),
                Some(_) => Err(namespace.yaml().await),
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deleted_link_that_is_applied_again_is_a_new_one() {
    in_namespace(async |ns| {
        let (first, _watch) = active_link(ns).await;
        let old = first.uid().await;
        first.delete().await;
        first.is_gone().await;
        let (second, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg2"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        assert_ne!(second.uid().await, old);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_delete_waits_for_the_drain_but_the_alias_stops_at_once() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.fixed_service("pg").await;
        let manifest =
            link("web-db", "db", "Deployment/web", "Service/pg").spec("deactivation", json!({ "drainSeconds": 4 }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        let started = std::time::Instant::now();
        link.delete().await;
        watch.walks([Deactivating]).await;
        eventually("every endpoint is out of service", Duration::from_secs(3), async || {
            let slices = ns.slices().await;
            let serving = slices
                .iter()
                .flat_map(|s| s.endpoints.iter().flatten())
                .any(|e| e.conditions.as_ref().is_none_or(|c| c.ready.unwrap_or(true)));
            if !serving && !slices.is_empty() {
                Ok(())
            } else {
                Err(format!("{slices:#?}"))
            }
        })
        .await;
        watch.walks_and_is_gone([Purging]).await;
        assert!(
            started.elapsed() >= Duration::from_secs(4),
            "gone after {:?}",
            started.elapsed()
        );
    })
    .await;
}
