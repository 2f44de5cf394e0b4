//! Children that are deleted or changed by hand are repaired without a change of state. Foreign objects are left alone.
//!
//! Rules: lifecycle#repair-in-place, lifecycle#foreign-untouched.

use std::time::Duration;

use harness::{Link, Namespace, Object, Watch, eventually, in_namespace, link};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use kube::api::DynamicObject;
use serde_json::{Value, json};

const REPAIRED: Duration = Duration::from_secs(10);

/// A link of `web` to `pg`, and its children: slice, directory, environment.
struct Scene {
    link: Link,
    watch: Watch,
    slice: Object,
    directory: Object,
    environment: Object,
}

async fn active_link(ns: &Namespace) -> Scene {
    ns.web_and_two_databases().await;
    let (link, mut watch) = ns
        .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
        .await;
    watch.walks([Requested, Activating, Active]).await;
    Scene {
        link,
        watch,
        slice: ns.object("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4"),
        directory: ns.object("v1", "Service", "web-links"),
        environment: ns.object("v1", "ConfigMap", "web-links"),
    }
}

/// The fields of a child that the operator writes. All others belong to other clients.
fn content(object: &DynamicObject) -> Value {
    let meta = &object.metadata;
    let mut data = object.data.clone();
    if let Some(data) = data.as_object_mut() {
        data.remove("status");
    }
    if let Some(spec) = data.get_mut("spec").and_then(Value::as_object_mut) {
        // The API server chooses the address families of a Service.
        spec.retain(|field, _| matches!(field.as_str(), "clusterIP" | "type" | "selector" | "ports"));
    }
    json!({ "labels": meta.labels, "annotations": meta.annotations, "owners": meta.owner_references, "data": data })
}

/// Damages a child, and waits until it is repaired.
async fn is_repaired(scene: &mut Scene, child: fn(&Scene) -> &Object, damage: impl AsyncFnOnce(&Object)) {
    let child = child(scene).clone();
    let before = content(&child.get().await);
    damage(&child).await;
    eventually(
        &format!("{} is as it was", child.name),
        REPAIRED,
        async || match child.find().await {
            Some(found) if content(&found) == before => Ok(()),
            Some(found) => Err(format!("is {}\nwas {before}", content(&found))),
            None => Err("there is none".to_owned()),
        },
    )
    .await;
    scene.watch.rests().await;
    scene.link.condition("Ready", "True", "").await;
}

async fn deleted(child: &Object) {
    child.delete().await;
}

async fn orphaned(child: &Object) {
    child.patch(&json!({ "metadata": { "ownerReferences": null } })).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deleted_slice_is_made_again() {
    in_namespace(async |ns| is_repaired(&mut active_link(ns).await, |s| &s.slice, deleted).await).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deleted_directory_is_made_again() {
    in_namespace(async |ns| is_repaired(&mut active_link(ns).await, |s| &s.directory, deleted).await).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deleted_environment_is_made_again() {
    in_namespace(async |ns| is_repaired(&mut active_link(ns).await, |s| &s.environment, deleted).await).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn everything_deleted_at_once_is_made_again() {
    in_namespace(async |ns| {
        let mut scene = active_link(ns).await;
        let (directory, environment) = (scene.directory.clone(), scene.environment.clone());
        is_repaired(
            &mut scene,
            |s| &s.slice,
            async |slice| {
                tokio::join!(slice.delete(), directory.delete(), environment.delete());
            },
        )
        .await;
        assert!(directory.find().await.is_some() && environment.find().await.is_some());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_slice_with_a_wrong_address_is_corrected() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.slice,
            async |slice| {
                slice
                    .patch(&json!({ "endpoints": [{ "addresses": ["10.9.8.7"], "hostname": "db" }] }))
                    .await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_slice_without_endpoints_or_with_wrong_ports_is_corrected() {
    in_namespace(async |ns| {
        let mut scene = active_link(ns).await;
        is_repaired(
            &mut scene,
            |s| &s.slice,
            async |slice| {
                slice.patch(&json!({ "endpoints": null })).await;
            },
        )
        .await;
        is_repaired(
            &mut scene,
            |s| &s.slice,
            async |slice| {
                slice
                    .patch(&json!({ "ports": [{ "name": "db", "port": 1, "protocol": "TCP" }] }))
                    .await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_slice_that_was_moved_to_another_service_comes_back() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.slice,
            async |slice| {
                slice
                    .patch(&json!({ "metadata": { "labels": { "kubernetes.io/service-name": "pg" } } }))
                    .await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_slice_that_lost_its_labels_is_known_by_its_owner() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.slice,
            async |slice| {
                slice.patch(&json!({ "metadata": { "labels": null } })).await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_lost_owner_reference_is_put_back_and_one_of_a_shared_child_is_removed() {
    in_namespace(async |ns| {
        let mut scene = active_link(ns).await;
        is_repaired(&mut scene, |s| &s.slice, orphaned).await;
        // The garbage collector would take a shared child along with its owner.
        let source = ns.object("apps/v1", "Deployment", "web").get().await.metadata.uid;
        let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": source }]);
        let adopted = json!({ "metadata": { "ownerReferences": owner } });
        let adopt = async |child: &Object| drop(child.patch(&adopted).await);
        is_repaired(&mut scene, |s| &s.directory, adopt).await;
        is_repaired(&mut scene, |s| &s.environment, adopt).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_directory_with_a_selector_and_ports_is_corrected() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.directory,
            async |directory| {
                // Without a selector the API server sets both families, with a selector only those of the cluster.
                let damage = json!({
                    "selector": { "app": "x" }, "ports": [{ "port": 80 }],
                    "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"],
                });
                directory.patch(&json!({ "spec": damage })).await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_environment_with_a_wrong_or_a_missing_value_is_corrected() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.environment,
            async |map| {
                map.patch(&json!({ "data": { "DB_NAME": "/web/other", "DB_PORT": null } }))
                    .await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_environment_that_lost_the_list_of_its_entries_is_corrected() {
    in_namespace(async |ns| {
        is_repaired(
            &mut active_link(ns).await,
            |s| &s.environment,
            async |map| {
                map.patch(&json!({ "metadata": { "annotations": { "instancelink.dev/entries": null } } }))
                    .await;
            },
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn labels_and_annotations_that_others_put_on_a_child_may_stay() {
    in_namespace(async |ns| {
        let scene = active_link(ns).await;
        let mark = json!({ "metadata": { "labels": { "team": "shop" }, "annotations": { "seen-by": "scanner" } } });
        for child in [&scene.slice, &scene.directory, &scene.environment] {
            let marked = child.patch(&mark).await.metadata.resource_version;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            assert_eq!(
                child.get().await.metadata.resource_version,
                marked,
                "{} was written for nothing",
                child.name
            );
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_orphaned_child_of_an_inactive_link_is_deleted() {
    in_namespace(async |ns| {
        let mut scene = active_link(ns).await;
        let mut stray = serde_json::to_value(scene.slice.get().await).unwrap();
        for field in [
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "managedFields",
            "generation",
        ] {
            stray["metadata"][field] = Value::Null;
        }
        scene.link.act("deactivate").await.is_accepted();
        scene.watch.walks([Deactivating, Inactive]).await;
        ns.has_no_residue().await;
        ns.create_object(&stray).await;
        ns.has_no_residue().await;
        scene.watch.rests().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_child_of_a_link_that_never_existed_is_swept() {
    in_namespace(async |ns| {
        let scene = active_link(ns).await;
        let mut stray = serde_json::to_value(scene.slice.get().await).unwrap();
        for field in [
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "managedFields",
            "generation",
            "ownerReferences",
        ] {
            stray["metadata"][field] = Value::Null;
        }
        stray["metadata"]["name"] = "never-v4".into();
        stray["metadata"]["labels"]["instancelink.dev/link-uid"] = "00000000-0000-4000-8000-000000000000".into();
        stray["metadata"]["annotations"]["instancelink.dev/link"] = format!("{}/never", ns.name).into();
        let stray = ns.create_object(&stray).await;
        eventually("the stray child is swept", REPAIRED, async || {
            match stray.find().await {
                None => Ok(()),
                Some(found) => Err(content(&found).to_string()),
            }
        })
        .await;
    })
    .await;
}
