//! Actions as users request them, with `kubectl annotate`, and the result of each.
//!
//! Rule: contract#actions.

use harness::{Hold, Link, Namespace, User, Watch, in_namespace, link};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Removed, Removing, Requested, Restoring};
use instancelink_api::{Phase, keys};
use serde_json::json;

async fn active_link(ns: &Namespace) -> (Link, Watch) {
    ns.web_and_two_databases().await;
    let (link, mut watch) = ns
        .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
        .await;
    watch.walks([Requested, Activating, Active]).await;
    (link, watch)
}

fn action_of(link: &instancelink_api::InstanceLink) -> Option<&String> {
    link.metadata.annotations.as_ref()?.get(keys::ACTION)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_annotate_drives_a_link_and_the_request_is_taken_away() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.annotate("deactivate").await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        let done = link.action_is(Phase::Completed).await;
        assert_eq!(action_of(&done), None);
        let last = done.status.unwrap().last_action.unwrap();
        assert_eq!((last.intent.seq, last.intent.action.as_str()), (1, "deactivate"));
        assert_eq!(last.intent.manager, "kubectl-annotate");
        assert_eq!(last.intent.link, format!("{}/web-db", ns.name));
        link.annotate("activate").await.succeeds();
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_last_of_several_quick_requests_rules() {
    in_namespace(async |ns| {
        let (link, _watch) = active_link(ns).await;
        for value in ["deactivate", "activate", "deactivate", "activate", "deactivate"] {
            link.action(value).await;
        }
        // Before that, an earlier request may have made it inactive.
        link.is_taken().await;
        link.reaches(Inactive).await;
        link.action_is(Phase::Completed).await;
        link.stays(Inactive).await;
        for value in ["activate", "deactivate", "activate"] {
            link.action(value).await;
        }
        link.is_taken().await;
        link.reaches(Active).await;
        link.action_is(Phase::Completed).await;
        link.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_request_for_what_is_already_so_is_accepted_and_moves_no_state() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        let done = link.act("activate").await.is_accepted();
        assert_eq!(done.action.phase, Phase::Completed);
        watch.rests().await;
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.act("deactivate").await.is_accepted();
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_request_with_an_id_acts_once_even_after_others() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.act("deactivate/CHG-1").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.act("activate/CHG-2").await.is_accepted();
        watch.walks([Activating, Active]).await;
        let seq = link.seq().await;
        // An older request that comes back, for example from Git, stays in the annotation and does nothing.
        link.action("deactivate/CHG-1").await;
        watch.rests().await;
        let object = link.get().await;
        assert_eq!(action_of(&object).map(String::as_str), Some("deactivate/CHG-1"));
        assert_eq!(link.seq().await, seq);
        // The last request does nothing either.
        link.action("activate/CHG-2").await;
        watch.rests().await;
        // A new id acts.
        link.act("deactivate/CHG-3").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_same_id_with_another_verb_is_another_request() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.act("deactivate/CHG-1").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.act("activate/CHG-1").await.is_accepted();
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_request_kept_in_a_manifest_acts_once() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let plain = link("web-db", "db", "Deployment/web", "Service/pg");
        let kept = plain.clone().action("deactivate/CHG-1").to_yaml();
        let mut watch = Watch::start(ns, "web-db").await;
        ns.kubectl_with(&["apply", "-f", "-"], &plain.to_yaml())
            .await
            .succeeds();
        watch.walks([Requested, Activating, Active]).await;
        ns.kubectl_with(&["apply", "-f", "-"], &kept).await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        let link = Link::at(ns, "web-db");
        link.act("activate").await.is_accepted();
        watch.walks([Activating, Active]).await;
        for _ in 0..2 {
            ns.kubectl_with(&["apply", "-f", "-"], &kept).await.succeeds();
            watch.rests().await;
        }
        assert_eq!(link.seq().await, 2);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn taking_a_request_away_means_nothing() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.act("deactivate/CHG-1").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        link.action("deactivate/CHG-1").await;
        ns.kubectl(&["annotate", "il", "web-db", "instancelink.dev/action-"])
            .await
            .succeeds();
        watch.rests().await;
        assert_eq!(link.seq().await, 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_asks_for_overwrite_while_a_request_is_not_yet_taken() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        let hold = Hold::links(ns).await;
        link.annotate("deactivate").await.succeeds();
        link.annotate("remove").await.is_refused_with(&["--overwrite"]);
        link.annotate_with("remove", &["--overwrite"]).await.succeeds();
        hold.lift().await;
        // A value that was overwritten before it was taken was never a request.
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        assert_eq!(link.seq().await, 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn desired_state_in_the_manifest_rules_over_activate_and_deactivate_but_not_over_remove() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("desiredState", "Active");
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        for verb in ["activate", "deactivate"] {
            link.annotate(verb)
                .await
                .is_refused_with(&["spec.desiredState sets the state"]);
        }
        link.annotate("remove").await.succeeds();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        // The manifest still says Active. It counts again after restore.
        link.annotate("restore").await.succeeds();
        watch.walks([Restoring, Inactive, Activating, Active]).await;
        // Without `desiredState` the last accepted action decides: restore.
        link.edit(json!({ "desiredState": null })).await;
        watch.walks([Deactivating, Inactive]).await;
        link.annotate("activate").await.succeeds();
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_request_that_an_edit_overtakes_is_superseded() {
    in_namespace(async |ns| {
        let link = ns.stage(Inactive, &["db"]).await.lift().await.remove(0);
        let mut watch = Watch::start(ns, "db").await;
        let hold = Hold::before(ns, None, &[Active]).await;
        link.act("activate").await.is_accepted();
        watch.walks([Activating]).await;
        link.edit(json!({ "desiredState": "Inactive" })).await;
        watch.walks([Deactivating, Inactive]).await;
        link.action_is(Phase::Superseded).await;
        hold.lift().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn invalid_requests_are_refused_in_the_output_of_kubectl() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        let long = format!("deactivate/{}", "x".repeat(64));
        for (value, parts) in [
            ("stop", &["unknown action 'stop'", "deactivate"][..]),
            ("Deactivate", &["unknown action 'Deactivate'"]),
            ("deactivate/", &["the id in action", "1 to 63"]),
            ("deactivate/a/b", &["the id in action"]),
            ("deactivate/a b", &["the id in action"]),
            (&long, &["the id in action"]),
            (
                "purge",
                &["cannot purge: the link is active; possible now: deactivate, remove"],
            ),
            (
                "restore",
                &["cannot restore: the link is active; possible now: deactivate, remove"],
            ),
        ] {
            link.annotate(value).await.is_refused_with(parts);
        }
        watch.rests().await;
        assert_eq!(link.seq().await, 0);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_is_being_deleted_takes_no_request() {
    in_namespace(async |ns| {
        let (link, _watch) = active_link(ns).await;
        let hold = Hold::finalizer(ns).await;
        link.delete().await;
        link.annotate("deactivate")
            .await
            .is_refused_with(&["the link is being deleted"]);
        hold.lift().await;
        link.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_editor_may_do_all_but_purge_and_an_admin_may_purge_too() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        let editor = User::with_cluster_role(ns, "ed", "edit").await;
        let admin = User::with_cluster_role(ns, "ada", "admin").await;
        let viewer = User::with_cluster_role(ns, "vic", "view").await;
        viewer
            .annotates(&link, "deactivate")
            .await
            .is_refused_with(&["cannot patch"]);
        editor.annotates(&link, "deactivate").await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        editor.annotates(&link, "activate").await.succeeds();
        watch.walks([Activating, Active]).await;
        editor.annotates(&link, "remove").await.succeeds();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        editor
            .annotates(&link, "purge")
            .await
            .is_refused_with(&["user ed may not purge this link", "create rolebinding purge-links"]);
        watch.rests().await;
        admin.annotates(&link, "purge").await.succeeds();
        link.reaches(instancelink_api::State::Purged).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn each_action_needs_the_rbac_verb_of_its_name() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        let user = User::with_verbs(ns, "pat", &["get", "patch", "deactivate"]).await;
        for verb in ["activate", "remove"] {
            let refused = format!("user pat may not {verb} this link");
            user.annotates(&link, verb).await.is_refused_with(&[&refused]);
        }
        user.annotates(&link, "deactivate").await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        let answer = user.kubectl(&["auth", "can-i", "purge", "instancelinks"]).await;
        assert!(!answer.ok && answer.out.contains("no"), "{answer:?}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_editor_cannot_forge_the_intent_but_may_drop_it() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.act("deactivate").await.is_accepted();
        watch.walks([Deactivating, Inactive]).await;
        let editor = User::with_cluster_role(ns, "ed", "edit").await;
        let intent = link.get().await.metadata.annotations.unwrap()[keys::INTENT].clone();
        let forged = intent
            .replace("\"desired\":\"Inactive\"", "\"desired\":\"Purged\"")
            .replace("\"seq\":1", "\"seq\":9");
        assert_ne!(forged, intent);
        let refused = editor
            .sets_annotation(&link, keys::INTENT, Some(&forged))
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("the operator's memory"), "{refused}");
        editor
            .sets_annotation(&link, keys::INTENT, None)
            .await
            .expect("anyone may drop it");
        let again = link
            .until("has its intent again", |l| {
                l.metadata
                    .annotations
                    .as_ref()
                    .is_some_and(|a| a.contains_key(keys::INTENT))
            })
            .await;
        let again: serde_json::Value =
            serde_json::from_str(&again.metadata.annotations.unwrap()[keys::INTENT]).unwrap();
        let intent: serde_json::Value = serde_json::from_str(&intent).unwrap();
        assert_eq!(again, intent);
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_action_brought_along_at_creation_counts() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").action("deactivate");
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Inactive]).await;
        watch.rests().await;
        link.action_is(Phase::Completed).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn each_accepted_request_is_an_event_and_no_more_than_one() {
    in_namespace(async |ns| {
        let (link, mut watch) = active_link(ns).await;
        link.annotate("deactivate/CHG-7").await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        let events = ns.events_of(&link, "ActionAccepted", 1).await;
        assert!(
            events[0].note.as_deref().unwrap_or_default().contains("deactivate"),
            "{events:?}"
        );
        assert_eq!(events[0].type_.as_deref(), Some("Normal"));
    })
    .await;
}
