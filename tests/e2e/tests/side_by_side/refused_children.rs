//! Quotas and admission policies refuse objects of a link. The link says who refuses which object and what to do; what its
//! message says makes it go on within ten seconds.
//!
//! Rules: contract#refused-writes, contract#condition-available, lifecycle#retries.

use std::time::{Duration, Instant};

use harness::{Hold, Link, Mutation, Namespace, Object, Reader, eventually, in_namespace, link, never};
use instancelink_api::State::{Activating, Active, Inactive};
use serde_json::json;

/// The promise is ten seconds; the API server itself learns of a changed quota or policy a second or two later.
const SOON: Duration = Duration::from_secs(13);

async fn quota(ns: &Namespace, hard: serde_json::Value) -> Object {
    let quota = ns
        .create_object(&json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "objects" }, "spec": { "hard": hard },
        }))
        .await;
    eventually("the usage of the quota is known", Duration::from_secs(20), async || {
        let found = quota.get().await;
        let known = found.data["status"]["used"].is_object();
        if known { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    quota
}

async fn a_link(ns: &Namespace) -> Link {
    ns.web_and_two_databases().await;
    ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await
}

/// Waits until the message of `Programmed` has all of these.
async fn says(link: &Link, reason: &str, parts: &[&str]) -> String {
    let message = link.condition("Programmed", "False", reason).await.message;
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    assert!(!message.contains("kind: Role"), "a right does not help: {message}");
    message
}

/// Does what the message says, and waits until the link is in this state.
async fn follows(message: &str, (from, to): (&str, &str), goes_on: impl AsyncFnOnce()) {
    Reader::of_the_cluster().edits(message, from, to).await;
    let began = Instant::now();
    goes_on().await;
    let took = began.elapsed();
    assert!(took < SOON, "it went on after {took:?}");
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_a_quota_refuses_quotes_it_and_goes_on_soon_after_it_is_raised() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        quota(ns, json!({ "services": "2" })).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let parts = [
            "Service ",
            "/web-links",
            "exceeded quota: objects",
            "requested: services=1, used: services=2, limited: services=2",
        ];
        let message = says(&link, "QuotaExceeded", &parts).await;
        link.condition("Stalled", "True", "QuotaExceeded").await;
        link.condition("Available", "False", "NotActive").await;
        // The pauses between the retries grow meanwhile, as far as they do.
        never(
            "the link goes on without room in the quota",
            Duration::from_secs(40),
            async || {
                let state = link.status().await.state;
                if state == Activating {
                    Ok(())
                } else {
                    Err(state.to_string())
                }
            },
        )
        .await;
        follows(&message, ("services: \"2\"", "services: \"3\""), async || {
            link.reaches(Active).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_of_which_a_quota_refuses_only_some_objects_says_that_its_alias_answers() {
    in_namespace(async |ns| {
        // Kubernetes itself puts one ConfigMap into each namespace.
        let root = ns.object("v1", "ConfigMap", "kube-root-ca.crt");
        eventually("the root certificates are there", Duration::from_secs(20), async || {
            root.find().await.map(drop).ok_or_else(|| "none yet".to_owned())
        })
        .await;
        quota(ns, json!({ "configmaps": "1" })).await;
        let link = a_link(ns).await;
        let message = says(
            &link,
            "QuotaExceeded",
            &["ConfigMap ", "/web-links", "exceeded quota: objects"],
        )
        .await;
        link.condition("Available", "True", "EndpointsReady").await;
        link.stays(Activating).await;
        assert_eq!(ns.addresses_in("web-links").await.len(), 1, "as the condition says");
        follows(&message, ("configmaps: \"1\"", "configmaps: \"2\""), async || {
            link.reaches(Active).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_is_named_whatever_its_code_and_the_link_goes_on_when_it_is_changed() {
    for reason in ["Forbidden", "RequestEntityTooLarge", "Invalid"] {
        in_namespace(async |ns| {
            let hold = Hold::writes_as(ns, "endpointslices", &["CREATE"], reason).await;
            let link = a_link(ns).await;
            let parts = ["EndpointSlice ", "/web-db-v4", hold.name(), "held back by a test"];
            let message = says(&link, "AdmissionDenied", &parts).await;
            follows(
                &message,
                ("expression: \"false\"", "expression: \"true\""),
                async || {
                    link.reaches(Active).await;
                },
            )
            .await;
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_that_keeps_objects_is_named_by_a_link_that_is_cut_or_deleted() {
    in_namespace(async |ns| {
        let link = a_link(ns).await;
        link.reaches(Active).await;
        let hold = Hold::writes_as(ns, "endpointslices", &["DELETE"], "Forbidden").await;
        link.act("deactivate").await.is_accepted();
        let parts = ["delete EndpointSlice ", "/web-db-v4", hold.name()];
        let message = says(&link, "AdmissionDenied", &parts).await;
        link.condition("Available", "True", "EndpointsReady").await;
        follows(
            &message,
            ("expression: \"false\"", "expression: \"true\""),
            async || {
                link.reaches(Inactive).await;
            },
        )
        .await;
        hold.lift().await;

        let hold = Hold::writes_as(ns, "services", &["DELETE"], "Invalid").await;
        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        link.delete().await;
        let message = says(
            &link,
            "AdmissionDenied",
            &["delete Service ", "/web-links", hold.name()],
        )
        .await;
        follows(
            &message,
            ("expression: \"false\"", "expression: \"true\""),
            async || {
                link.is_gone().await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_mutating_policy_that_cannot_be_applied_is_named_and_the_link_goes_on_without_it() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let patch = "[JSONPatch{op: 'replace', path: '/spec/missing/field', value: 'x'}]";
        let mutation = Mutation::of(ns, "services", patch).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let command = format!("kubectl edit mutatingadmissionpolicy {}", mutation.name());
        let parts = ["create Service ", "/web-links", mutation.name(), &command];
        says(&link, "AdmissionDenied", &parts).await;
        mutation.lift().await;
        let began = Instant::now();
        link.reaches(Active).await;
        assert!(began.elapsed() < SOON, "it went on after {:?}", began.elapsed());
    })
    .await;
}
