//! Consent in the words of the Gateway API, whose CRD comes and goes while the operator runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::time::Duration;

use e2e::{Link, Namespace, Operator, ReferenceGrants, Watch, link_into, with_two_tenants};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use serde_json::{Value, json};

/// Far below any drain of these tests: at once, as a user sees it.
const AT_ONCE: Duration = Duration::from_secs(5);
/// Until a CRD that was just installed is noticed, and its grants count.
const NOTICED: Duration = Duration::from_secs(30);

async fn with_reference_grants(test: impl AsyncFnOnce(&Namespace, &Namespace, &ReferenceGrants)) {
    with_two_tenants(async |shop, data| {
        ReferenceGrants::during(data, async |grants| test(shop, data, grants).await).await;
    })
    .await;
}

fn links_of(namespace: &Namespace) -> Value {
    json!({ "group": "instancelink.dev", "kind": "InstanceLink", "namespace": namespace.name })
}

fn pg() -> Value {
    json!({ "group": "", "kind": "Service", "name": "pg" })
}

async fn held(shop: &Namespace, data: &Namespace) -> (Link, Watch) {
    let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
    let (link, mut watch) = shop.watched_link(manifest).await;
    watch.walks([Requested, Inactive]).await;
    link.is_not_permitted().await;
    (link, watch)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_crd_installed_while_the_operator_runs_is_noticed_and_one_deleted_cuts_what_it_permitted() {
    with_reference_grants(async |shop, data, grants| {
        let (link, mut watch) = held(shop, data).await;
        grants.install(&["v1", "v1beta1"]).await;
        grants.grant(data, "v1", "shop", &links_of(shop), &pg()).await;
        watch.walks_within([Activating, Active], NOTICED).await;
        link.condition("Ready", "True", "").await;
        watch.rests().await;
        grants.uninstall().await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
        shop.has_no_residue().await;
        // And once more: what was forgotten is listed anew.
        grants.install(&["v1"]).await;
        grants.grant(data, "v1", "shop", &links_of(shop), &pg()).await;
        watch.walks_within([Activating, Active], NOTICED).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_reference_grant_taken_back_or_edited_cuts_the_link_at_once_whatever_the_drain() {
    with_reference_grants(async |shop, data, grants| {
        grants.install(&["v1"]).await;
        let given = grants.grant(data, "v1", "shop", &links_of(shop), &pg()).await;
        let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
        let link = shop.link(manifest).await;
        // Held at first where the CRD was not noticed yet.
        link.reaches_within(Active, NOTICED).await;
        let mut watch = Watch::start(shop, "web-db").await;
        given.delete().await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
        shop.has_no_residue().await;
        let given = grants.grant(data, "v1", "again", &links_of(shop), &pg()).await;
        watch.walks_within([Activating, Active], AT_ONCE).await;
        let other = json!({ "spec": { "to": [{ "group": "", "kind": "Service", "name": "pg2" }] } });
        given.patch(&other).await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_operator_that_starts_anew_knows_them_before_it_cuts_anything() {
    with_reference_grants(async |shop, data, grants| {
        let (link, mut watch) = held(shop, data).await;
        grants.install(&["v1"]).await;
        grants.grant(data, "v1", "shop", &links_of(shop), &pg()).await;
        watch.walks_within([Activating, Active], NOTICED).await;
        Operator::of(&shop.client).kill_all(shop).await;
        // Whoever leads now has looked at every link when it does what it is asked.
        link.act("activate").await.is_accepted();
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn either_version_will_do_and_a_change_between_them_cuts_nothing() {
    with_reference_grants(async |shop, data, grants| {
        let (_, mut watch) = held(shop, data).await;
        grants.install(&["v1beta1"]).await;
        let older = grants.grant(data, "v1beta1", "shop", &links_of(shop), &pg()).await;
        watch.walks_within([Activating, Active], NOTICED).await;
        grants.serve(&["v1"]).await;
        // The watch of the old version has ended, and the new one is followed.
        tokio::time::sleep(Duration::from_secs(5)).await;
        watch.rests().await;
        grants.object(data, "v1", &older.name).delete().await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn one_for_another_kind_name_or_namespace_does_not_permit() {
    with_reference_grants(async |shop, data, grants| {
        grants.install(&["v1"]).await;
        let route = json!({ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": shop.name });
        let ours = json!({ "group": "instancelink.dev", "kind": "InstanceLinkGrant", "namespace": shop.name });
        for (name, place, from, to) in [
            ("route", data, &route, pg()),
            ("our-other-kind", data, &ours, pg()),
            ("other-namespace", data, &links_of(data), pg()),
            ("other-place", shop, &links_of(shop), pg()),
            (
                "other-name",
                data,
                &links_of(shop),
                json!({ "group": "", "kind": "Service", "name": "pg2" }),
            ),
            (
                "other-kind",
                data,
                &links_of(shop),
                json!({ "group": "", "kind": "Pod" }),
            ),
            (
                "other-group",
                data,
                &links_of(shop),
                json!({ "group": "core", "kind": "Service" }),
            ),
        ] {
            grants.grant(place, "v1", name, from, &to).await;
        }
        let (link, mut watch) = held(shop, data).await;
        tokio::time::sleep(NOTICED).await;
        watch.rests().await;
        link.is_not_permitted().await;
        grants
            .grant(
                data,
                "v1",
                "right",
                &links_of(shop),
                &json!({ "group": "", "kind": "Service" }),
            )
            .await;
        watch.walks_within([Activating, Active], AT_ONCE).await;
    })
    .await;
}
