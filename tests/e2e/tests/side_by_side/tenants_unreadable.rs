//! Two tenants, of whom one writes objects that no type of the operator can hold. What the operator does for both goes on.
//!
//! These objects are read with kubectl here: the types of these tests cannot hold them either.
//!
//! Rules: contract#unusable-objects.

use std::time::Duration;

use harness::{Namespace, Object, eventually, idle_deployment, in_namespace, link_into, serving_deployment};
use instancelink_api::State::Active;
use serde_json::json;

/// A time that the API server keeps and that is later than the last one of many types.
const TOO_LATE: &str = "9999-12-31T23:59:59Z";
const A_CUT: Duration = Duration::from_secs(30);

/// Writes an entry in `managedFields` with a time that is too late, as everyone may who may write the object.
async fn stamp(namespace: &Namespace, resource: &str, name: &str, field: &str) {
    let entry = json!({
        "manager": "stranger", "operation": "Update", "apiVersion": "instancelink.dev/v1alpha1", "time": TOO_LATE,
        "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": { (format!("f:{field}")): {} } },
    });
    let patch = json!({ "metadata": { "managedFields": [entry] } }).to_string();
    let patched = namespace
        .kubectl(&["patch", resource, name, "--type=merge", "-p", &patch])
        .await;
    patched.succeeds();
    let shown = ["get", resource, name, "-o", "json", "--show-managed-fields"];
    let stored = namespace.kubectl(&shown).await.succeeds();
    assert!(stored.contains(TOO_LATE), "the API server keeps the time: {stored}");
}

/// The source `web` in one namespace, with an active link to `pg` in the other, and the grant for it.
async fn linked(test: impl AsyncFnOnce(&Namespace, &Namespace, Object)) {
    in_namespace(async |shop| {
        in_namespace(async |data| {
            shop.create_object(&idle_deployment("web")).await;
            data.create_object(&serving_deployment("pg", "pg")).await;
            let addresses = data.ready_addresses("pg", 1).await;
            let (from, to) = (
                json!({ "namespace": shop.name }),
                json!({ "kind": "Deployment", "name": "pg" }),
            );
            let grant = data.grant("pg", &from, &to).await;
            let link = shop.link(link_into(data, "Deployment", "pg")).await;
            link.reaches(Active).await;
            shop.has_addresses_in("web-links", &addresses).await;
            test(shop, data, grant).await;
        })
        .await;
    })
    .await;
}

async fn name_of_the_link(shop: &Namespace) -> String {
    let names = shop.kubectl(&["get", "instancelinks", "-o", "name"]).await.succeeds();
    let (_, name) = names.trim().split_once('/').expect("one link");
    name.to_owned()
}

async fn is_deleted(shop: &Namespace, link: &str) {
    let delete = ["delete", "instancelinks", link, "--timeout=60s"];
    shop.kubectl(&delete).await.succeeds();
    eventually("nothing of the link is left", A_CUT, async || {
        let of_links = [
            "get",
            "endpointslices,services,configmaps",
            "-l",
            "app.kubernetes.io/managed-by=instancelink",
            "-o",
            "name",
        ];
        let left = shop.kubectl(&of_links).await.succeeds();
        if left.trim().is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_time_that_no_type_can_hold_delays_no_cut_and_no_deletion() {
    linked(async |shop, data, grant| {
        let link = name_of_the_link(shop).await;
        stamp(shop, "instancelinks", &link, "linkName").await;
        grant.delete().await;
        shop.has_addresses_in("web-links", &[].into()).await;
        let (from, to) = (
            json!({ "namespace": shop.name }),
            json!({ "kind": "Deployment", "name": "pg" }),
        );
        data.grant("pg", &from, &to).await;
        shop.has_addresses_in("web-links", &data.ready_addresses("pg", 1).await)
            .await;
        is_deleted(shop, &link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_with_such_a_time_is_seen_when_it_is_deleted() {
    linked(async |shop, data, _| {
        stamp(data, "instancelinkgrants", "pg", "to").await;
        data.kubectl(&["delete", "instancelinkgrants", "pg"]).await.succeeds();
        shop.has_addresses_in("web-links", &[].into()).await;
        is_deleted(shop, &name_of_the_link(shop).await).await;
    })
    .await;
}
