//! Tests of `kubectl wait` for a link, and of the status that generic tools compute for it.
//!
//! Rule: contract#kubectl-wait.

use harness::{Hold, Kstatus, Namespace, in_namespace, kstatus, link};
use instancelink_api::State::{Active, Inactive, Registering, Removed, Requested};
use serde_json::json;

/// The status that generic tools compute for the link of this name.
async fn verdict_on(ns: &Namespace, name: &str) -> Kstatus {
    kstatus(&harness::Link::at(ns, name).object().get().await)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_wait_for_ready_available_and_a_state_returns() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        let wait = async |what: &str| {
            ns.kubectl(&["wait", "il/web-db", &format!("--for={what}"), "--timeout=20s"])
                .await
                .succeeds();
        };
        wait("condition=Ready").await;
        wait("condition=Available").await;
        wait("jsonpath={.status.state}=active").await;
        link.annotate("deactivate").await.succeeds();
        wait("jsonpath={.status.state}=inactive").await;
        // A link that is inactive on purpose is ready.
        wait("condition=Ready").await;
        link.annotate("remove").await.succeeds();
        wait("jsonpath={.status.state}=removed").await;
        wait("condition=Ready").await;
        wait("jsonpath={.status.lastAction.phase}=Completed").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn ready_answers_the_spec_that_was_applied_last() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        let edited = link.retarget("Service/pg2").await;
        let ready = link
            .until("is ready for the edit", |l| {
                let status = l.status.as_ref().unwrap();
                status.conditions.iter().any(|c| {
                    c.type_ == "Ready" && c.status == "True" && c.observed_generation == edited.metadata.generation
                })
            })
            .await;
        assert_eq!(ready.status.unwrap().target.unwrap().name, "pg2");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kstatus_finds_a_new_link_in_progress_and_an_active_one_current() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let hold = Hold::links(ns).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.stays(Requested).await;
        assert_eq!(verdict_on(ns, "web-db").await, Kstatus::InProgress);
        hold.lift().await;
        link.condition("Ready", "True", "").await;
        assert_eq!(verdict_on(ns, "web-db").await, Kstatus::Current);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kstatus_finds_a_parked_and_a_removed_link_current() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let parked = ns
            .link(link("parked", "db", "Deployment/web", "Service/pg").spec("desiredState", "Inactive"))
            .await;
        let removed = ns
            .link(link("removed", "cache", "Deployment/web", "Service/pg").action("remove"))
            .await;
        parked.reaches(Inactive).await;
        removed.reaches(Removed).await;
        for link in [&parked, &removed] {
            link.condition("Ready", "True", "").await;
            assert_eq!(verdict_on(ns, &link.name).await, Kstatus::Current);
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kstatus_finds_a_stuck_link_failed_and_one_that_waits_for_its_source_in_progress() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        ns.link(link("first", "db", "Deployment/web", "Service/pg"))
            .await
            .reaches(Active)
            .await;
        let second = ns.link(link("second", "db", "Deployment/web", "Service/pg")).await;
        second.condition("Stalled", "True", "AliasConflict").await;
        assert_eq!(verdict_on(ns, "second").await, Kstatus::Failed);
        let waiting = ns.link(link("waiting", "db", "Deployment/missing", "Service/pg")).await;
        waiting.reaches(Registering).await;
        waiting.condition("Reconciling", "True", "").await;
        assert_eq!(verdict_on(ns, "waiting").await, Kstatus::InProgress);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn reconciling_and_stalled_never_stand_beside_ready() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, watch) = ns
            .watched_link(link("web-db", "db", "Deployment/missing", "Service/pg"))
            .await;
        link.reaches(Registering).await;
        ns.create_object(&harness::idle_deployment("missing")).await;
        link.reaches(Active).await;
        link.retarget("Service/pg2").await;
        link.act("remove").await.is_accepted();
        link.reaches(Removed).await;
        for version in watch.versions() {
            let conditions = version.status.unwrap().conditions;
            let is_true = |kind: &str| conditions.iter().any(|c| c.type_ == kind && c.status == "True");
            assert!(
                !is_true("Ready") || !(is_true("Reconciling") || is_true("Stalled")),
                "{conditions:#?}"
            );
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn applying_the_same_manifest_again_changes_nothing() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
            .spec(
                "ports",
                json!([{ "name": "pg", "port": 5432 }, { "name": "http", "port": 8008 }]),
            )
            .spec("activation", json!({ "targetWaitSeconds": 5 }))
            .to_yaml();
        let apply = async |more: &[&str]| {
            ns.kubectl_with(&[&["apply", "-f", "-"], more].concat(), &manifest)
                .await
                .succeeds()
        };
        assert!(apply(&[]).await.contains("created"));
        let link = harness::Link::at(ns, "web-db");
        link.reaches(Active).await;
        for _ in 0..2 {
            let said = apply(&[]).await;
            assert!(said.contains("unchanged"), "{said}");
        }
        assert_eq!(link.get().await.metadata.generation, Some(1));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_explain_reads_well() {
    in_namespace(async |ns| {
        let said = ns.kubectl(&["explain", "il.spec.targetInstanceRef"]).await.succeeds();
        for part in [
            "GROUP:      instancelink.dev",
            "KIND:       InstanceLink",
            "The instance that the alias resolves to",
            "kind\t<string> -required-",
        ] {
            assert!(said.contains(part), "{part:?} is missing in\n{said}");
        }
        let said = ns.kubectl(&["explain", "il"]).await.succeeds();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("makes a target instance known to a source instance under an alias"),
            "{said}"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn kubectl_get_shows_the_columns_and_selects_by_fields() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let up = ns.link(link("up", "db", "Deployment/web", "Service/pg")).await;
        let parked = ns
            .link(link("parked", "cache", "Deployment/web", "Service/pg2").spec("desiredState", "Inactive"))
            .await;
        up.condition("Available", "True", "").await;
        parked.reaches(Inactive).await;
        let said = ns.kubectl(&["get", "il"]).await.succeeds();
        let mut lines = said.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
        assert_eq!(
            lines.next().unwrap(),
            ["NAME", "STATE", "ALIAS", "INSTANCE", "TARGET", "AVAILABLE", "AGE"]
        );
        assert_eq!(
            lines.next().unwrap()[..6],
            ["parked", "inactive", "cache", "web", "pg2", "False"]
        );
        assert_eq!(lines.next().unwrap()[..6], ["up", "active", "db", "web", "pg", "True"]);
        let wide = ns.kubectl(&["get", "links", "-o", "wide"]).await.succeeds();
        for column in ["FQDN", "DESIRED", "LAST ACTION", "MESSAGE", "UUID"] {
            assert!(wide.contains(column), "{column} is missing in\n{wide}");
        }
        let id = up.status().await.id.unwrap();
        for (selector, name) in [
            ("status.state=inactive".to_owned(), "parked"),
            (format!("status.id={id}"), "up"),
            ("spec.linkName=cache".to_owned(), "parked"),
            ("spec.targetInstanceRef.name=pg".to_owned(), "up"),
        ] {
            let said = ns
                .kubectl(&["get", "il", "-o", "name", "--field-selector", &selector])
                .await
                .succeeds();
            assert_eq!(
                said.trim(),
                format!("instancelink.instancelink.dev/{name}"),
                "{selector}"
            );
        }
    })
    .await;
}
