//! A purge needs the verb `purge`, and a deletion the verb `delete`, whichever way it comes about: by an action, by a time
//! of the spec, or by what the operator remembers.
//!
//! Rules: contract#ttl-admission, contract#intent-admission, contract#definitions-admission.

use harness::{Link, Namespace, Output, User, in_namespace, kubectl, link};
use instancelink_api::State::{Active, Removed};
use serde_json::{Value, json};

/// May create, edit and remove links, but neither purge nor delete them.
const VERBS: [&str; 7] = ["get", "list", "create", "update", "patch", "activate", "remove"];

async fn with_link(test: impl AsyncFnOnce(&Namespace, &Link, &User)) {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("ttlSecondsAfterPurged", 7200);
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let user = User::with_verbs(ns, &format!("hasty-{}", ns.name), &VERBS).await;
        test(ns, &link, &user).await;
    })
    .await;
}

async fn patches(user: &User, patch: &Value, more: &[&str]) -> Output {
    let patch = patch.to_string();
    let arguments = ["patch", "il", "web-db", "--type=merge", "-p", &patch];
    user.kubectl(&[&arguments, more].concat()).await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn who_may_not_purge_cannot_let_a_time_do_it() {
    with_link(async |ns, link, user| {
        let remove = json!({ "annotations": { "instancelink.dev/action": "remove" } });
        for (patch, verb) in [
            (json!({ "spec": { "ttlSecondsAfterRemoved": 0 } }), "purge"),
            (json!({ "spec": { "ttlSecondsAfterRemoved": 86400 } }), "purge"),
            (
                json!({ "spec": { "ttlSecondsAfterRemoved": 0 }, "metadata": remove }),
                "purge",
            ),
            (json!({ "spec": { "ttlSecondsAfterPurged": 0 } }), "delete"),
            (json!({ "spec": { "ttlSecondsAfterPurged": null } }), "delete"),
        ] {
            let says = format!("needs the verb {verb} on instancelinks.instancelink.dev");
            patches(user, &patch, &[])
                .await
                .is_refused_with(&[&says, "role", user.name()]);
        }
        // Server-side apply, and a replacement of the whole object.
        let applied = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "metadata": { "name": "web-db" },
            "spec": {
                "linkName": "db", "instanceRef": { "kind": "Deployment", "name": "web" }, "ttlSecondsAfterRemoved": 0,
            },
        });
        let forced = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        user.kubectl_with(&forced, &applied.to_string())
            .await
            .is_refused_with(&["the verb purge"]);
        user.kubectl_with(&["replace", "-f", "-"], &applied.to_string())
            .await
            .is_refused_with(&["the verb"]);
        // Longer times, and all else, are free.
        patches(
            user,
            &json!({ "spec": { "ttlSecondsAfterPurged": 9000, "name": "mine" } }),
            &[],
        )
        .await
        .succeeds();
        user.annotates(link, "remove").await.succeeds();
        link.reaches(Removed).await;
        let patch = json!({ "spec": { "ttlSecondsAfterRemoved": 0 } });
        patches(user, &patch, &[]).await.is_refused_with(&["the verb purge"]);
        link.stays(Removed).await;
        let editor = User::with_cluster_role(ns, &format!("ed-{}", ns.name), "edit").await;
        patches(&editor, &patch, &[])
            .await
            .is_refused_with(&["the role admin has it and the role edit does not"]);
        patches(&editor, &json!({ "spec": { "ttlSecondsAfterPurged": 0 } }), &[])
            .await
            .succeeds();
        let admin = User::with_cluster_role(ns, &format!("ad-{}", ns.name), "admin").await;
        patches(&admin, &patch, &[]).await.succeeds();
        link.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn who_creates_a_link_may_give_it_any_time() {
    with_link(async |_, _, user| {
        let own = user.at_home();
        let manifest = link("own", "own", "Deployment/web", "Service/pg")
            .spec("ttlSecondsAfterRemoved", 0)
            .spec("ttlSecondsAfterPurged", 0);
        let link = own.link(manifest).await;
        link.reaches(Active).await;
        user.annotates(&link, "remove").await.succeeds();
        link.is_gone().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn who_may_write_a_status_cannot_write_what_the_operator_remembers() {
    with_link(async |ns, link, user| {
        let rule = json!({
            "apiGroups": ["instancelink.dev"], "resources": ["instancelinks/status"], "verbs": ["get", "patch", "update"],
        });
        user.is_given(ns, "status-writer", &rule).await;
        let action = json!({
            "seq": 9, "action": "purge", "verdict": "Accepted", "desired": "Purged", "at": "2026-01-01T00:00:00Z",
            "desiredAt": "2026-01-01T00:00:00Z", "link": format!("{}/web-db", ns.name), "phase": "Accepted",
        });
        for status in [
            json!({ "lastAction": action }),
            json!({ "state": "purging" }),
            json!({ "state": "removed", "removed": "2020-01-01T00:00:00Z" }),
            json!({ "removed": "2020-01-01T00:00:00Z" }),
            json!({ "history": [{ "state": "purged", "at": "2020-01-01T00:00:00Z" }] }),
        ] {
            let patch = json!({ "status": status });
            let answer = patches(user, &patch, &["--subresource=status"]).await;
            answer.is_refused_with(&["the operator's memory", "instancelink.dev/action"]);
        }
        let harmless = json!({ "status": { "conditions": [] } });
        patches(user, &harmless, &["--subresource=status"]).await.succeeds();
        patches(user, &json!({ "status": null }), &["--subresource=status"])
            .await
            .succeeds();
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_definitions_cannot_be_deleted_without_saying_so() {
    in_namespace(async |_| {
        for plural in ["instancelinks", "instancelinkgrants"] {
            let name = format!("{plural}.instancelink.dev");
            let answer = kubectl(&["delete", "crd", &name, "--dry-run=server"]).await;
            answer.is_refused_with(&[
                &format!("deletes all {plural} of all namespaces"),
                "instancelink uninstall",
                &format!("kubectl annotate crd {name} instancelink.dev/allow-deletion=true"),
            ]);
        }
    })
    .await;
}

/// The names of users may have any character, and an administrator pastes the command of a refusal into a shell.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_command_in_a_refusal_is_safe_to_paste_whatever_the_name_of_the_user_is() {
    with_link(async |ns, _, usual| {
        let later = json!({ "spec": { "ttlSecondsAfterRemoved": 0 } });
        let action = json!({ "metadata": { "annotations": { "instancelink.dev/action": "deactivate" } } });
        let quoted = format!("--user='{}'", usual.name());
        for patch in [&later, &action] {
            patches(usual, patch, &[]).await.is_refused_with(&[&quoted]);
        }
        for name in ["eve'; id; '", "eve' --clusterrole=admin '", "eve\"$(id)`id`'"] {
            let user = User::with_verbs(ns, &format!("{name}-{}", ns.name), &VERBS).await;
            for patch in [&later, &action] {
                patches(&user, patch, &[]).await.is_refused_with(&["--user='NAME'"]);
            }
        }
    })
    .await;
}
