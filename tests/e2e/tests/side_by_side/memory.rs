//! The memory of a link is rebuilt after its status, its annotations or both are lost. A copy of a link does not take
//! over the memory.
//!
//! Rules: lifecycle#rebuild-lost-memory, contract#no-unwanted-return.

use harness::{Hold, Link, Namespace, Watch, in_namespace, link};
use instancelink_api::State::{
    self, Activating, Active, Deactivating, Inactive, Purged, Purging, Removed, Removing, Requested,
};
use instancelink_api::{LastAction, Phase, keys};
use serde_json::{Value, json};

/// A link in a resting state that an action brought it to.
async fn link_at_rest(ns: &Namespace, state: State) -> Link {
    let link = ns.stage(state, &["db"]).await.lift().await.remove(0);
    if state == Active {
        // Without an action there would be nothing to remember.
        link.act("deactivate").await;
        link.reaches(Inactive).await;
        link.act("activate").await;
        link.reaches(Active).await;
    }
    link.action_is(Phase::Completed).await;
    link
}

async fn last_action(link: &Link) -> LastAction {
    link.status().await.last_action.expect("a last action")
}

/// The part of the memory that must be restored exactly. Times have microseconds in both copies.
fn remembered(action: &LastAction) -> Value {
    serde_json::to_value(&action.intent).unwrap()
}

async fn survives_a_lost_status(state: State, way: &[State]) {
    in_namespace(async |ns| {
        let link = link_at_rest(ns, state).await;
        let before = link.status().await;
        let mut watch = Watch::start(ns, "db").await;
        link.wipe_status().await;
        watch.walks(way).await;
        watch.rests().await;
        let after = link.status().await;
        let (was, is) = (before.last_action.unwrap(), after.last_action.unwrap());
        assert_eq!(remembered(&is), remembered(&was));
        assert_eq!(is.phase, Phase::Completed);
        // `removed` is the time of the removal, not of the loss of the status.
        assert_eq!(after.removed.is_some(), before.removed.is_some());
        if let (Some(was), Some(is)) = (before.removed, after.removed) {
            assert!((is.0.as_second() - was.0.as_second()).abs() <= 2, "{was:?} {is:?}");
        }
        assert_eq!((after.id, after.uuid), (before.id, before.uuid));
        let events = ns
            .events_of(&link, "ActionAccepted", i32::try_from(is.intent.seq).unwrap())
            .await;
        drop(events);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_survives_the_loss_of_its_status() {
    survives_a_lost_status(Active, &[Requested, Activating, Active]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_parked_link_stays_parked_when_its_status_is_lost() {
    survives_a_lost_status(Inactive, &[Requested, Inactive]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_stays_removed_when_its_status_is_lost() {
    survives_a_lost_status(Removed, &[Requested, Removing, Removed]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_purged_link_stays_purged_when_its_status_is_lost() {
    survives_a_lost_status(Purged, &[Requested, Removing, Removed, Purging, Purged]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_links_endpoints_stay_while_its_lost_status_is_rebuilt() {
    in_namespace(async |ns| {
        let link = link_at_rest(ns, Active).await;
        let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "db-v4");
        let before = slice.get().await;
        link.wipe_status().await;
        link.reaches(Active).await;
        assert_eq!(
            slice.get().await,
            before,
            "nothing about it was lost, so nothing is written"
        );
    })
    .await;
}

async fn survives_a_bare_replace(state: State) {
    in_namespace(async |ns| {
        let link = link_at_rest(ns, state).await;
        let before = last_action(&link).await;
        let mut watch = Watch::start(ns, "db").await;
        replace_bare(ns, "db").await;
        if state != Purged {
            link.until("has its intent and finalizer again", |l| {
                l.metadata
                    .annotations
                    .as_ref()
                    .is_some_and(|a| a.contains_key(keys::INTENT))
                    && l.metadata
                        .finalizers
                        .as_ref()
                        .is_some_and(|f| f.iter().any(|f| f == keys::FINALIZER))
            })
            .await;
        }
        watch.rests().await;
        assert_eq!(remembered(&last_action(&link).await), remembered(&before));
    })
    .await;
}

/// `kubectl replace` with a minimal manifest. It drops annotations and finalizers.
async fn replace_bare(ns: &Namespace, name: &str) {
    let bare = link(name, name, "Deployment/web", "Service/pg").to_yaml();
    ns.kubectl_with(&["replace", "-f", "-"], &bare).await.succeeds();
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_survives_a_replace_with_a_bare_manifest() {
    survives_a_bare_replace(Active).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_parked_link_stays_parked_after_a_replace_with_a_bare_manifest() {
    survives_a_bare_replace(Inactive).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_removed_link_stays_removed_after_a_replace_with_a_bare_manifest() {
    survives_a_bare_replace(Removed).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_purged_link_stays_purged_after_a_replace_with_a_bare_manifest() {
    survives_a_bare_replace(Purged).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_lost_both_is_a_new_one() {
    for state in [Active, Inactive, Removed, Purged] {
        in_namespace(async |ns| {
            let link = link_at_rest(ns, state).await;
            let mut watch = Watch::start(ns, "db").await;
            let hold = Hold::links(ns).await;
            replace_bare(ns, "db").await;
            link.wipe_status().await;
            hold.lift().await;
            watch.walks([Requested, Activating, Active]).await;
            watch.rests().await;
            assert!(link.status().await.last_action.is_none());
        })
        .await;
    }
}

/// The manifest of a link as `kubectl get -o yaml` shows it, under another name or in another namespace.
fn copy_of(object: &instancelink_api::InstanceLink, name: &str) -> Value {
    json!({
        "apiVersion": keys::API_VERSION, "kind": keys::KIND,
        "metadata": { "name": name, "annotations": object.metadata.annotations },
        "spec": object.spec,
    })
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_copy_under_another_name_starts_afresh() {
    in_namespace(async |ns| {
        let original = link_at_rest(ns, Removed).await;
        let object = original.get().await;
        assert!(object.metadata.annotations.as_ref().unwrap().contains_key(keys::INTENT));
        let (copy, mut watch) = ns.watched_link(copy_of(&object, "copy")).await;
        watch.walks([Requested, Activating, Active]).await;
        watch.rests().await;
        assert!(copy.status().await.last_action.is_none());
        original.stays(Removed).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_copy_in_another_namespace_starts_afresh() {
    in_namespace(async |ns| {
        let object = link_at_rest(ns, Inactive).await.get().await;
        in_namespace(async |other| {
            other.web_and_two_databases().await;
            let (copy, mut watch) = other.watched_link(copy_of(&object, "db")).await;
            watch.walks([Requested, Activating, Active]).await;
            watch.rests().await;
            assert!(copy.status().await.last_action.is_none());
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_restored_from_a_backup_without_status_is_as_it_was() {
    in_namespace(async |ns| {
        let original = link_at_rest(ns, Removed).await;
        let backup = copy_of(&original.get().await, "db");
        original.delete().await;
        original.is_gone().await;
        let (link, mut watch) = ns.watched_link(backup).await;
        watch.walks([Requested, Removing, Removed]).await;
        watch.rests().await;
        link.act("restore").await.is_accepted();
        link.reaches(Inactive).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_intent_that_is_no_intent_counts_as_lost() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        for (name, intent) in [
            ("text", "deactivate"),
            ("empty", "{}"),
            (
                "huge",
                r#"{"seq":9007199254740993,"action":"remove","verdict":"Accepted","desired":"Removed"}"#,
            ),
        ] {
            let manifest = link(name, name, "Deployment/web", "Service/pg").annotation(keys::INTENT, intent);
            let (_link, mut watch) = ns.watched_link(manifest).await;
            watch.walks([Requested, Activating, Active]).await;
            watch.rests().await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_action_dropped_by_a_replace_after_it_was_acknowledged_still_counts() {
    in_namespace(async |ns| {
        let stage = ns.stage(Deactivating, &["db"]).await;
        replace_bare(ns, "db").await;
        let links = stage.lift().await;
        links[0].reaches(Inactive).await;
        links[0].stays(Inactive).await;
    })
    .await;
}
