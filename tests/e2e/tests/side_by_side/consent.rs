//! A target in another namespace needs a grant there, as long as the link refers to it.
//!
//! Rules: contract#grants, contract#revoked-consent.

use std::time::Duration;

use harness::{
    Hold, Link, Namespace, Object, Reader, User, Watch, in_namespace, kubectl, link, link_into, never,
    serving_deployment, serving_pod, with_two_tenants,
};
use instancelink_api::State::{
    Activating, Active, Deactivating, Inactive, Requested, UpdatingActive, UpdatingInactive,
};
use serde_json::{Value, json};

/// Much shorter than every drain in these tests: immediate, as a user sees it.
const AT_ONCE: Duration = Duration::from_secs(5);

fn from(namespace: &Namespace) -> Value {
    json!({ "namespace": namespace.name })
}

fn pg() -> Value {
    json!({ "kind": "Service", "name": "pg" })
}

/// An active link to the Service `pg` by a grant.
async fn active(shop: &Namespace, data: &Namespace) -> (Link, Watch, Object) {
    let grant = data.grant("shop", &from(shop), &pg()).await;
    let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
    let (link, mut watch) = shop.watched_link(manifest).await;
    watch.walks([Requested, Activating, Active]).await;
    (link, watch, grant)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_a_grant_a_link_is_held_and_its_message_is_the_manifest_that_lifts_the_hold() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch) = shop.watched_link(link_into(data, "Service", "pg")).await;
        watch.walks([Requested, Inactive]).await;
        let message = link.is_not_permitted().await;
        watch.rests().await;
        shop.has_no_residue().await;
        Reader::administrator(data).await.applies(&message).await;
        watch.walks([Activating, Active]).await;
        link.condition("ResolvedRefs", "True", "Resolved").await;
        link.condition("Available", "True", "").await;
        let service = data.object("v1", "Service", "pg").get().await;
        let address = service.data["spec"]["clusterIP"].as_str().unwrap().parse().unwrap();
        shop.has_addresses_in("web-links", &[address].into()).await;
        watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_message_does_not_tell_whether_the_target_exists() {
    with_two_tenants(async |shop, data| {
        let link = shop.link(link_into(data, "Service", "secret")).await;
        let before = link.is_not_permitted().await;
        data.fixed_service("secret").await;
        link.stays(Inactive).await;
        assert_eq!(link.is_not_permitted().await, before);
        let status = link.status().await;
        assert_eq!(status.target_instance_id, None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn with_a_grant_the_alias_follows_the_pods_of_another_namespace() {
    with_two_tenants(async |shop, data| {
        data.create_object(&serving_deployment("db", "db")).await;
        data.grant("shop", &from(shop), &json!({ "kind": "Deployment" })).await;
        let link = shop.link(link_into(data, "Deployment", "db")).await;
        link.reaches_within(Active, Duration::from_secs(90)).await;
        let one = data.ready_addresses("db", 1).await;
        shop.has_addresses_in("web-links", &one).await;
        data.scale("db", 2).await;
        let two = data.ready_addresses("db", 2).await;
        shop.has_addresses_in("web-links", &two).await;
        assert!(data.slices().await.is_empty(), "the slices are the link's namespace's");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_revoked_grant_cuts_the_link_at_once_without_a_drain_and_a_new_one_ends_the_hold() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch, given) = active(shop, data).await;
        given.delete().await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
        watch.rests().await;
        shop.has_no_residue().await;
        data.grant("again", &from(shop), &pg()).await;
        watch.walks([Activating, Active]).await;
        link.condition("Ready", "True", "").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_edited_so_that_it_covers_the_link_no_more_cuts_it_at_once() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch, given) = active(shop, data).await;
        given
            .patch(&json!({ "spec": { "to": [{ "kind": "Service", "name": "pg2" }] } }))
            .await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
        given.patch(&json!({ "spec": { "to": [pg()] } })).await;
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_for_another_kind_name_or_namespace_does_not_count() {
    with_two_tenants(async |shop, data| {
        data.grant("kind", &from(shop), &json!({ "kind": "Deployment", "name": "pg" }))
            .await;
        data.grant("name", &from(shop), &json!({ "kind": "Service", "name": "pg2" }))
            .await;
        data.grant("group", &from(shop), &json!({ "group": "apps", "kind": "Service" }))
            .await;
        data.grant("from", &from(data), &pg()).await;
        shop.grant("place", &from(shop), &pg()).await;
        let (link, mut watch) = shop.watched_link(link_into(data, "Service", "pg")).await;
        watch.walks([Requested, Inactive]).await;
        link.is_not_permitted().await;
        watch.rests().await;
        data.grant("right", &from(shop), &pg()).await;
        watch.walks([Activating, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_retarget_cuts_the_link_only_if_the_new_target_is_not_granted() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch, _) = active(shop, data).await;
        link.edit(json!({ "targetInstanceRef": { "name": "pg2" } })).await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
        link.edit(json!({ "targetInstanceRef": { "name": "pg" } })).await;
        watch.walks([UpdatingInactive, Inactive, Activating, Active]).await;
        data.grant(
            "pg2",
            &from(shop),
            &json!({ "group": "", "kind": "Service", "name": "pg2" }),
        )
        .await;
        link.edit(json!({ "targetInstanceRef": { "name": "pg2" } })).await;
        watch.walks([UpdatingActive, Active]).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_may_select_namespaces_and_follows_their_labels() {
    with_two_tenants(async |shop, data| {
        let selector = json!({ "namespaceSelector": { "matchLabels": { "team": "a" } } });
        data.grant("team-a", &selector, &json!({ "kind": "Service" })).await;
        let (link, mut watch) = shop.watched_link(link_into(data, "Service", "pg")).await;
        watch.walks([Requested, Inactive]).await;
        link.is_not_permitted().await;
        let namespace = Object::named(&shop.client, "", "v1", "Namespace", &shop.name);
        let label = |team: Value| json!({ "metadata": { "labels": { "team": team } } });
        namespace.patch(&label("a".into())).await;
        watch.walks([Activating, Active]).await;
        namespace.patch(&label("b".into())).await;
        watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_taken_back_in_the_middle_of_activation_leaves_nothing() {
    with_two_tenants(async |shop, data| {
        let given = data.grant("shop", &from(shop), &pg()).await;
        let hold = Hold::before(shop, None, &[Active]).await;
        let (link, mut watch) = shop.watched_link(link_into(data, "Service", "pg")).await;
        watch.walks([Requested, Activating]).await;
        link.condition("Programmed", "False", "").await;
        given.delete().await;
        watch.walks([Deactivating, Inactive]).await;
        shop.has_no_residue().await;
        hold.lift().await;
        watch.rests().await;
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_taken_back_before_the_slices_are_written_lets_none_be_written() {
    with_two_tenants(async |shop, data| {
        let given = data.grant("shop", &from(shop), &pg()).await;
        let hold = Hold::writes(shop, "endpointslices", &["CREATE"]).await;
        let (link, mut watch) = shop.watched_link(link_into(data, "Service", "pg")).await;
        watch.walks([Requested, Activating]).await;
        link.condition("Programmed", "False", "AdmissionDenied").await;
        given.delete().await;
        watch.walks([Deactivating, Inactive]).await;
        hold.lift().await;
        watch.rests().await;
        assert!(shop.slices().await.is_empty());
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_edit_that_cannot_be_served_does_not_outlive_the_consent_to_what_stands() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch, given) = active(shop, data).await;
        shop.create_yaml("{apiVersion: v1, kind: Service, metadata: {name: elsewhere}, spec: {type: ExternalName, externalName: db.example.com}}").await;
        link.edit(json!({ "targetInstanceRef": { "name": "elsewhere", "namespace": null } })).await;
        watch.walks([UpdatingActive]).await;
        watch.rests().await;
        assert_eq!(shop.addresses_in("web-links").await.len(), 1);
        given.delete().await;
        shop.has_addresses_in("web-links", &[].into()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_that_takes_on_the_labels_of_a_granted_workload_does_not_join_it() {
    with_two_tenants(async |shop, data| {
        data.create_object(&serving_deployment("db", "db")).await;
        let stray = data
            .create_object(&serving_pod("stray", &[("app", "stray")], "stray"))
            .await;
        data.grant("shop", &from(shop), &json!({ "kind": "Deployment", "name": "db" }))
            .await;
        shop.link(link_into(data, "Deployment", "db")).await;
        let granted = data.ready_addresses("db", 1).await;
        data.ready_addresses("stray", 1).await;
        shop.has_addresses_in("web-links", &granted).await;
        stray.patch(&json!({ "metadata": { "labels": { "app": "db" } } })).await;
        never("the stray pod joins", Duration::from_millis(1500), async || {
            let found = shop.addresses_in("web-links").await;
            if found == granted {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_never_gives_access_to_pods_of_another_namespace() {
    with_two_tenants(async |shop, data| {
        data.create_object(&serving_deployment("db", "db")).await;
        data.ready_addresses("db", 1).await;
        let service = shop
            .create_yaml(
                "{apiVersion: v1, kind: Service, metadata: {name: lure}, \
                 spec: {clusterIP: None, selector: {app: none}, ports: [{port: 8080}]}}",
            )
            .await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/lure")
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = shop.link(manifest).await;
        link.reaches(Active).await;
        service.patch(&json!({ "spec": { "selector": { "app": "db" } } })).await;
        never(
            "a pod of the other tenant answers",
            Duration::from_millis(1500),
            async || {
                let found = shop.addresses_in("web-links").await;
                if found.is_empty() {
                    Ok(())
                } else {
                    Err(format!("{found:?}"))
                }
            },
        )
        .await;
        link.condition("Available", "False", "NoReadyEndpoints").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_that_is_deleted_and_created_again_has_not_consented() {
    with_two_tenants(async |shop, data| {
        let (link, mut watch, _) = active(shop, data).await;
        kubectl(&["delete", "namespace", &data.name]).await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        kubectl(&["create", "namespace", &data.name]).await.succeeds();
        data.fixed_service("pg").await;
        watch.rests().await;
        link.is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_admin_of_a_namespace_may_write_grants_and_an_editor_may_only_read_them() {
    in_namespace(async |data| {
        for (role, expected) in [("view", "no"), ("edit", "no"), ("admin", "yes")] {
            let user = User::with_cluster_role(data, &format!("{role}-of-{}", data.name), role).await;
            for verb in ["create", "patch", "delete"] {
                let answer = user.kubectl(&["auth", "can-i", verb, "instancelinkgrants"]).await;
                assert_eq!(answer.out.trim(), expected, "{role} {verb}");
            }
            let reads = user.kubectl(&["auth", "can-i", "list", "ilg"]).await;
            assert_eq!(reads.out.trim(), "yes", "{role}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_that_does_not_say_whom_or_what_is_refused() {
    in_namespace(async |data| {
        let shop = json!({ "namespace": "shop" });
        let both = json!({ "namespace": "shop", "namespaceSelector": {} });
        let star = json!({ "namespace": "*" });
        for (from, to, message) in [
            (json!([]), json!([pg()]), "at least 1 items"),
            (json!([shop]), json!([]), "at least 1 items"),
            (
                json!([{}]),
                json!([pg()]),
                "exactly one of namespace and namespaceSelector",
            ),
            (
                json!([both]),
                json!([pg()]),
                "exactly one of namespace and namespaceSelector",
            ),
            (json!([star]), json!([pg()]), "namespaceSelector: {}"),
            (
                json!([shop]),
                json!([{ "kind": "Rollout" }]),
                "for another kind write its group",
            ),
        ] {
            let manifest = json!({
                "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": "g" },
                "spec": { "from": from, "to": to },
            });
            data.kubectl_with(&["create", "-f", "-"], &manifest.to_string())
                .await
                .is_refused_with(&[message]);
        }
    })
    .await;
}
