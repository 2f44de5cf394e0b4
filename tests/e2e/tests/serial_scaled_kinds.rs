//! Kinds that the operator knows nothing of but their scale, as source and as target, with rights and without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::time::Duration;

use e2e::{Link, LinkManifest, Namespace, Operator, Watch, Widgets, idle_deployment, in_namespace, link, serving_set};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

/// Until a CRD or a right that came, or went, is noticed.
const NOTICED: Duration = Duration::from_mins(1);
const PODS_START: Duration = Duration::from_secs(90);

async fn with_widgets(test: impl AsyncFnOnce(&Namespace, &Widgets)) {
    in_namespace(async |ns| {
        Widgets::during(ns, async |widgets| test(ns, widgets).await).await;
    })
    .await;
}

fn to_widget() -> LinkManifest {
    let target = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "name": "pg" });
    link("web-db", "db", "Deployment/web", "Service/pg").spec("targetInstanceRef", target)
}

fn of_widget() -> LinkManifest {
    let source = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "name": "web" });
    link("web-db", "db", "Deployment/web", "Service/pg").spec("instanceRef", source)
}

async fn refs(link: &Link, reason: &str, says: &str) -> String {
    let found = link
        .until_within(&format!("has ResolvedRefs {reason}"), NOTICED, |link| {
            let conditions = link.status.iter().flat_map(|status| &status.conditions);
            conditions
                .into_iter()
                .any(|c| c.type_ == "ResolvedRefs" && c.reason == reason && c.message.contains(says))
        })
        .await;
    let conditions = found.status.unwrap().conditions;
    conditions
        .into_iter()
        .find(|c| c.type_ == "ResolvedRefs")
        .unwrap()
        .message
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_may_not_be_read_says_which_role_is_missing_and_heals_with_it() {
    with_widgets(async |ns, widgets| {
        ns.create_object(&idle_deployment("web")).await;
        widgets.create(ns, "pg").await;
        let link = ns.link(to_widget()).await;
        let message = refs(&link, "KindNotSupported", "kind: ClusterRole").await;
        link.condition("Stalled", "True", "KindNotSupported").await;
        widgets.allow(&message).await;
        refs(&link, "Resolved", "").await;
        link.reaches_within(Active, NOTICED).await;
        widgets.run(ns, "pg", "ReplicaSet").await;
        let own = ns.ready_addresses("pg", 1).await;
        ns.has_addresses_in("web-links", &own).await;
        // A pod that only looks like one of the Widget's joins nothing.
        let mut stranger = serving_set("ReplicaSet", "stranger", "stranger");
        stranger["spec"]["selector"] = json!({ "matchLabels": { "of": "stranger" } });
        stranger["spec"]["template"]["metadata"]["labels"] = json!({ "app": "pg", "of": "stranger" });
        ns.create_object(&stranger).await;
        ns.ready_addresses("pg", 2).await;
        ns.has_addresses_in("web-links", &own).await;
        ns.object("example.com/v1", "Widget", "pg").delete().await;
        refs(&link, "TargetNotFound", "Widget").await;
        ns.has_addresses_in("web-links", &[].into()).await;
        assert_eq!(link.get().await.status.unwrap().state, Active);
        widgets.create(ns, "pg").await;
        refs(&link, "Resolved", "").await;
        widgets.uninstall().await;
        refs(&link, "KindNotSupported", "install its CustomResourceDefinition").await;
        widgets.install(ns).await;
        refs(&link, "TargetNotFound", "Widget").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_that_may_be_read_owns_the_directory_and_its_end_cuts_the_link() {
    with_widgets(async |ns, widgets| {
        ns.create_object(&e2e::fixed_service("pg")).await;
        let widget = widgets.create(ns, "web").await;
        let link = ns.link(of_widget()).await;
        let message = refs(&link, "KindNotSupported", "kind: ClusterRole").await;
        widgets.allow(&message).await;
        link.reaches_within(Active, NOTICED).await;
        let directory = ns.object("v1", "Service", "web-links").get().await;
        let owner = &directory.metadata.owner_references.unwrap()[0];
        assert_eq!(
            (owner.api_version.as_str(), owner.kind.as_str()),
            ("example.com/v1", "Widget")
        );
        assert_eq!(Some(owner.uid.clone()), widget.get().await.metadata.uid);
        widget.delete().await;
        link.reaches(Inactive).await;
        refs(&link, "SourceNotFound", "web").await;
        widgets.create(ns, "web").await;
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_operator_that_starts_anew_lists_such_kinds_before_it_cuts_anything() {
    with_widgets(async |ns, widgets| {
        ns.create_object(&idle_deployment("web")).await;
        widgets.create(ns, "pg").await;
        let manifest = to_widget().spec("activation", json!({ "targetWaitSeconds": 120 }));
        let link = ns.link(manifest).await;
        widgets
            .allow(&refs(&link, "KindNotSupported", "kind: ClusterRole").await)
            .await;
        widgets.run(ns, "pg", "StatefulSet").await;
        link.reaches_within(Active, PODS_START).await;
        let addresses = ns.ready_addresses("pg", 1).await;
        ns.has_addresses_in("web-links", &addresses).await;
        let mut watch = Watch::start(ns, "web-db").await;
        let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4");
        let before = slice.get().await.metadata.resource_version;
        Operator::of(&ns.client).kill_all(ns).await;
        link.act("activate").await.is_accepted();
        watch.rests().await;
        assert_eq!(slice.get().await.metadata.resource_version, before);
    })
    .await;
}
