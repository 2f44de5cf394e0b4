//! After a restart, the operator first reads all that it reads only when a link needs it. It cuts no link before that.
//!
//! Rules: contract#scaled-kinds, contract#unseen-secrets.

use std::time::Duration;

use harness::{
    Link, Namespace, Operator, ReferenceGrants, Watch, Widgets, idle_deployment, in_namespace, link, link_into,
    with_two_tenants,
};
use instancelink_api::State::Active;
use serde_json::json;

/// The time until the operator notices a new CRD or right, or until a pod runs.
const COMES_UP: Duration = Duration::from_secs(90);

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_operator_that_restarts_lists_grants_and_kinds_that_links_need_before_it_cuts_a_link() {
    with_two_tenants(async |shop, data| {
        in_namespace(async |ns| {
            ReferenceGrants::during(data, async |grants| {
                Widgets::during(ns, async |widgets| {
                    let (permitted, to_widget) = tokio::join!(permitted(shop, data, grants), up_to_widget(ns, widgets));
                    let (first, second) = (Watch::start(shop, "web-db"), Watch::start(ns, "web-db"));
                    let (mut first, mut second) = tokio::join!(first, second);
                    let slice = ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4");
                    let before = slice.get().await.metadata.resource_version;
                    Operator::of(&ns.client).kill_all(ns).await;
                    // When the new leader handles this request, it has looked at every link.
                    permitted.act("activate").await.is_accepted();
                    to_widget.act("activate").await.is_accepted();
                    tokio::join!(first.rests(), second.rests());
                    assert_eq!(slice.get().await.metadata.resource_version, before);
                })
                .await;
            })
            .await;
        })
        .await;
    })
    .await;
}

/// A link into a namespace that consents with a `ReferenceGrant`.
async fn permitted(shop: &Namespace, data: &Namespace, grants: &ReferenceGrants) -> Link {
    grants.install(&["v1"]).await;
    let from = json!({ "group": "instancelink.dev", "kind": "InstanceLink", "namespace": shop.name });
    let to = json!({ "group": "", "kind": "Service", "name": "pg" });
    grants.grant(data, "v1", "shop", &from, &to).await;
    let link = shop.link(link_into(data, "Service", "pg")).await;
    link.reaches_within(Active, COMES_UP).await;
    link
}

/// A link to a custom kind with a scale, and the pod behind it.
async fn up_to_widget(ns: &Namespace, widgets: &Widgets) -> Link {
    ns.create_object(&idle_deployment("web")).await;
    widgets.allow_ahead().await;
    widgets.create(ns, "pg").await;
    let target = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "name": "pg" });
    let manifest = link("web-db", "db", "Deployment/web", "Service/pg")
        .spec("targetInstanceRef", target)
        .spec("activation", json!({ "targetWaitSeconds": 120 }));
    let link = ns.link(manifest).await;
    widgets.run(ns, "pg", "StatefulSet").await;
    link.reaches_within(Active, COMES_UP).await;
    let addresses = ns.ready_addresses("pg", 1).await;
    ns.has_addresses_in("web-links", &addresses).await;
    link
}
