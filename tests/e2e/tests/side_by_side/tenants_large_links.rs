//! What the author of a link can write into it, so that the operator can hardly write it: the link is served, cut and
//! deleted all the same.
//!
//! Rules: lifecycle#unreadable-intent, lifecycle#valid-status, lifecycle#refused-link-write.

use harness::{in_namespace, link, link_into, with_two_tenants};
use instancelink_api::State::{Active, Inactive};
use instancelink_api::keys;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

/// As many bytes as the annotations of an object may have in sum.
const ANNOTATIONS: usize = 256 * 1024;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_intent_that_no_status_can_show_holds_up_nothing() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let many: Vec<String> = (0..40).map(|n| format!("deactivate/{n}")).collect();
        let usual = "2026-01-01T00:00:00Z";
        for (name, alias, handled, at, desired, state) in [
            ("many", "many", json!(many), usual, "Inactive", Inactive),
            (
                "early",
                "early",
                json!([]),
                "-000001-01-01T00:00:00Z",
                "Inactive",
                Active,
            ),
            ("zero", "zero", json!([]), "0000-01-01T00:00:00Z", "Inactive", Active),
        ] {
            let intent = json!({
                "seq": 3, "action": "deactivate", "id": "", "verdict": "Accepted", "reason": "", "desired": desired,
                "desiredAt": at, "at": at, "since": null, "manager": "velero", "link": format!("{}/{name}", ns.name),
                "handled": handled,
            });
            let mut manifest = link(name, alias, "Deployment/web", "Service/pg").into_value();
            manifest["metadata"]["annotations"] = json!({ keys::INTENT: intent.to_string() });
            ns.create_object(&manifest).await;
            let link = harness::Link::at(ns, name);
            link.reaches(state).await;
            link.condition("Ready", "True", "").await;
            if state == Inactive {
                let handled = link.status().await.last_action.unwrap().intent.handled;
                assert_eq!(handled.len(), 16);
                assert_eq!(handled.last().unwrap(), "deactivate/39", "the newest stay");
            }
            link.delete().await;
            link.is_gone().await;
        }
    })
    .await;
}

/// The intent does not fit beside the annotations of the author, so no request can be taken. Consent that is withdrawn
/// counts at once.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_that_is_as_large_as_an_object_may_be_is_cut_and_deleted() {
    with_two_tenants(async |shop, data| {
        let from = json!({ "namespace": shop.name });
        let grant = data.grant("shop", &from, &json!({ "kind": "Service" })).await;
        let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
        let link = shop.link(manifest).await;
        link.reaches(Active).await;
        let key = "example.com/padding";
        let action = json!({ keys::ACTION: "deactivate/1" });
        // What is there already, and the action, count too.
        let used: usize = link
            .get()
            .await
            .metadata
            .annotations
            .iter()
            .flatten()
            .map(|(k, v)| k.len() + v.len())
            .sum();
        let padding = "x".repeat(ANNOTATIONS - used - key.len() - keys::ACTION.len() - "deactivate/1".len());
        let mut annotations = action;
        annotations[key] = padding.into();
        link.patch(&json!({ "metadata": { "annotations": annotations } })).await;
        link.stays(Active).await;
        grant.delete().await;
        shop.has_addresses_in("web-links", &[].into()).await;
        link.delete().await;
        link.is_gone().await;
        shop.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_status_does_not_fit_is_cut_and_deleted() {
    with_two_tenants(async |shop, data| {
        let from = json!({ "namespace": shop.name });
        let grant = data.grant("shop", &from, &json!({ "kind": "Service" })).await;
        let link = shop.link(link_into(data, "Service", "pg")).await;
        link.reaches(Active).await;
        // Labels have no limit in sum: the object grows until the API server stores no larger one.
        let label = |n: usize| format!("l{n:07}.{}", "x".repeat(50));
        let mut step = 8192;
        let mut labels = 0;
        while step > 0 {
            let more: serde_json::Map<_, _> = (labels..labels + step)
                .map(|n| (label(n), json!("y".repeat(35))))
                .collect();
            let patch = json!({ "metadata": { "labels": more } });
            match link
                .object()
                .api
                .patch(&link.name, &PatchParams::default(), &Patch::Merge(&patch))
                .await
            {
                Ok(_) => labels += step,
                Err(_) => step /= 2,
            }
        }
        assert!(labels > 1000, "{labels} labels");
        grant.delete().await;
        shop.has_addresses_in("web-links", &[].into()).await;
        assert_eq!(link.status().await.state, Active, "the status could not be written");
        // The time of a deletion needs some room, too, and the status takes what it finds.
        let api = link.object().api;
        for n in 0.. {
            assert!(n < labels, "the deletion does not fit");
            let less = json!({ "metadata": { "labels": { label(n): null } } });
            link.patch(&less).await;
            if api.delete(&link.name, &DeleteParams::default()).await.is_ok() {
                break;
            }
        }
        link.is_gone().await;
        shop.has_no_residue().await;
    })
    .await;
}
