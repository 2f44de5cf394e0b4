//! Refused actions: each is possible after the step of its message, for a user with the role `edit`.
//!
//! Rules: contract#next-steps, lifecycle#alias-queue.

use harness::{Reader, in_namespace, link};
use instancelink_api::State::{Active, Inactive, Removed};
use serde_json::json;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_refused_action_is_possible_after_the_step_of_its_message() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let author = Reader::author(ns).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("desiredState", "Active");
        let web_db = ns.link(manifest).await;
        web_db.reaches(Active).await;
        let refused = author.asks(&web_db, "deactivate").await;
        refused.is_refused_with(&["spec.desiredState sets the state; edit it, or remove it to use deactivate"]);
        author.sets(&web_db, &json!({ "desiredState": null })).await;
        author.asks(&web_db, "deactivate").await.succeeds();
        web_db.reaches(Inactive).await;

        let refused = author.asks(&web_db, "restore").await;
        assert!(!refused.ok, "{refused:?}");
        let (_, possible) = refused.err.split_once("possible now: ").expect("what is possible");
        let last = possible.trim().rsplit(", ").next().unwrap_or_default();
        author.asks(&web_db, last).await.succeeds();
        web_db.reaches(Removed).await;

        let other = ns.link(link("other", "db", "Deployment/web", "Service/pg2")).await;
        other.reaches(Active).await;
        let before = web_db.seq().await;
        author.asks(&web_db, "restore").await.succeeds();
        let rejected = web_db.acknowledged_after(before).await.is_rejected("AliasTaken");
        let message = rejected.action.message.clone();
        assert!(
            message.contains("link other has the alias now; remove that link first"),
            "{message}"
        );
        author.asks(&other, "remove").await.succeeds();
        other.reaches(Removed).await;
        author.asks(&web_db, "restore").await.succeeds();
        web_db.reaches(Inactive).await;
    })
    .await;
}
