//! Custom kinds with a scale subresource, as source and as target, with and without the rights to read them.
//!
//! Rule: contract#scaled-kinds.

use std::time::Duration;

use harness::{Link, LinkManifest, Namespace, Reader, Widgets, idle_deployment, in_namespace, link, serving_set};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

/// The time until the operator notices an added or removed CRD or right.
const NOTICED: Duration = Duration::from_secs(30);

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
async fn a_kind_that_may_not_be_read_names_the_missing_role_and_heals_with_it() {
    in_namespace(async |ns| {
        in_namespace(async |other| {
            Widgets::during(ns, async |widgets| {
                let (to, of) = tokio::join!(link_to_widget(ns, widgets), link_of_widget(other, widgets));
                let (message, same) = tokio::join!(
                    refs(&to, "KindNotSupported", "kind: ClusterRole"),
                    refs(&of, "KindNotSupported", "kind: ClusterRole")
                );
                assert_eq!(message, same);
                to.condition("Stalled", "True", "KindNotSupported").await;
                Reader::of_the_cluster().applies(&message).await;
                tokio::join!(
                    a_target_has_the_pods_that_it_owns(ns, widgets, &to),
                    a_directory_names_its_source_whose_end_cuts_the_link(other, widgets, &of),
                );
                widgets.uninstall().await;
                refs(&to, "KindNotSupported", "install its CustomResourceDefinition").await;
                widgets.install(ns).await;
                refs(&to, "TargetNotFound", "Widget").await;
            })
            .await;
        })
        .await;
    })
    .await;
}

async fn link_to_widget(ns: &Namespace, widgets: &Widgets) -> Link {
    ns.create_object(&idle_deployment("web")).await;
    widgets.create(ns, "pg").await;
    ns.link(to_widget()).await
}

async fn link_of_widget(ns: &Namespace, widgets: &Widgets) -> Link {
    ns.fixed_service("pg").await;
    widgets.create(ns, "web").await;
    ns.link(of_widget()).await
}

async fn a_target_has_the_pods_that_it_owns(ns: &Namespace, widgets: &Widgets, link: &Link) {
    refs(link, "Resolved", "").await;
    link.reaches_within(Active, NOTICED).await;
    widgets.run(ns, "pg", "ReplicaSet").await;
    let own = ns.ready_addresses("pg", 1).await;
    ns.has_addresses_in("web-links", &own).await;
    // A pod that only has the labels of the Widget's pods is no endpoint.
    let mut stranger = serving_set("ReplicaSet", "stranger", "stranger");
    stranger["spec"]["selector"] = json!({ "matchLabels": { "of": "stranger" } });
    stranger["spec"]["template"]["metadata"]["labels"] = json!({ "app": "pg", "of": "stranger" });
    ns.create_object(&stranger).await;
    ns.ready_addresses("pg", 2).await;
    ns.has_addresses_in("web-links", &own).await;
    ns.object("example.com/v1", "Widget", "pg").delete().await;
    refs(link, "TargetNotFound", "Widget").await;
    ns.has_addresses_in("web-links", &[].into()).await;
    assert_eq!(link.get().await.status.unwrap().state, Active);
    widgets.create(ns, "pg").await;
    refs(link, "Resolved", "").await;
}

async fn a_directory_names_its_source_whose_end_cuts_the_link(ns: &Namespace, widgets: &Widgets, link: &Link) {
    link.reaches_within(Active, NOTICED).await;
    let widget = ns.object("example.com/v1", "Widget", "web");
    let directory = ns.object("v1", "Service", "web-links").get().await;
    let labels = directory.metadata.labels.unwrap();
    assert_eq!(
        labels.get("instancelink.dev/source-uid"),
        widget.get().await.metadata.uid.as_ref()
    );
    widget.delete().await;
    link.reaches(Inactive).await;
    refs(link, "SourceNotFound", "web").await;
    widgets.create(ns, "web").await;
    link.reaches(Active).await;
}
