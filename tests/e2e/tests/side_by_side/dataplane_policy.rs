//! The NetworkPolicy of a link as an object. An evaluator in `core` tests which traffic such an object allows, and the
//! groups `packets…` test it with connections, where the cluster enforces policies.
//!
//! Rule: contract#network-policy.

use std::time::Duration;

use harness::{Link, LinkManifest, Namespace, eventually, in_namespace, link};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(10);

fn web_db() -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Deployment/pg")
        .spec("networkPolicy", "Allow")
        .spec("ports", json!([{ "name": "pg", "port": 8080 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }))
}

/// A policy that denies all ingress.
async fn deny(ns: &Namespace) {
    ns.create_yaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}")
        .await;
}

async fn prepare(ns: &Namespace) {
    for name in ["web", "pg", "pg2"] {
        ns.create_object(&harness::idle_deployment(name)).await;
    }
}

/// The operator's policies in a namespace.
async fn ours(ns: &Namespace) -> Vec<NetworkPolicy> {
    let labelled = ListParams::default().labels("app.kubernetes.io/managed-by=instancelink");
    ns.api::<NetworkPolicy>().list(&labelled).await.expect("policies").items
}

async fn count_is(ns: &Namespace, count: usize) -> Vec<NetworkPolicy> {
    eventually(&format!("{count} policies of ours in {}", ns.name), SOON, async || {
        let found = ours(ns).await;
        if found.len() == count {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
}

async fn active(ns: &Namespace, manifest: LinkManifest) -> Link {
    let link = ns.link(manifest).await;
    link.reaches(Active).await;
    link
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_active_link_opens_the_way_into_an_isolated_target_and_a_cut_one_closes_it() {
    in_namespace(async |ns| {
        prepare(ns).await;
        deny(ns).await;
        let link = active(ns, web_db()).await;
        let policy = count_is(ns, 1).await.remove(0);
        let spec = serde_json::to_value(policy.spec.unwrap()).unwrap();
        let expected: Value = json!({
            "podSelector": { "matchLabels": { "app": "pg" } },
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{ "podSelector": { "matchLabels": { "app": "web" } } }],
                "ports": [{ "port": 8080, "protocol": "TCP" }],
            }],
        });
        assert_eq!(spec, expected);
        link.condition("Enforced", "True", "TargetIsolated").await;
        link.retarget("Deployment/pg2").await;
        eventually("the policy follows the target", SOON, async || {
            let spec = ours(ns).await.remove(0).spec.unwrap();
            let labels = spec.pod_selector.unwrap().match_labels.unwrap();
            if labels["app"] == "pg2" {
                Ok(())
            } else {
                Err(format!("{labels:?}"))
            }
        })
        .await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        assert_eq!(ours(ns).await, []);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn no_policy_is_written_for_a_target_that_is_not_isolated_and_a_condition_shows_it() {
    in_namespace(async |ns| {
        prepare(ns).await;
        let link = active(ns, web_db()).await;
        link.condition("Enforced", "False", "TargetNotIsolated").await;
        assert_eq!(ours(ns).await, []);
        deny(ns).await;
        link.condition("Enforced", "True", "TargetIsolated").await;
        count_is(ns, 1).await;
        ns.object("networking.k8s.io/v1", "NetworkPolicy", "deny")
            .delete()
            .await;
        link.condition("Enforced", "False", "TargetNotIsolated").await;
        count_is(ns, 0).await;
        link.edit(json!({ "networkPolicy": "None" })).await;
        link.condition("Enforced", "False", "DNSOnly").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_in_another_namespace_needs_a_separate_consent_and_is_deleted_when_that_is_revoked() {
    in_namespace(async |ns| {
        in_namespace(async |data| {
            prepare(ns).await;
            prepare(data).await;
            deny(data).await;
            let target = json!({ "kind": "Deployment", "name": "pg", "namespace": data.name });
            let grant = |allow: &str| {
                format!(
                    "{{apiVersion: instancelink.dev/v1alpha1, kind: InstanceLinkGrant, metadata: {{name: g}}, spec: {{from: [{{namespace: {}}}], to: [{{kind: Deployment}}], allow: {allow}}}}}",
                    ns.name
                )
            };
            data.create_yaml(&grant("[Endpoints]")).await;
            let link = ns.link(web_db().spec("targetInstanceRef", target)).await;
            let found = link.condition("Programmed", "False", "Forbidden").await;
            assert!(found.message.contains("allow: [Endpoints, NetworkPolicy]"), "{}", found.message);
            assert_eq!(ours(data).await, []);

            let object = data.object("instancelink.dev/v1alpha1", "InstanceLinkGrant", "g");
            object.patch(&json!({ "spec": { "allow": ["Endpoints", "NetworkPolicy"] } })).await;
            link.reaches(Active).await;
            let policy = count_is(data, 1).await.remove(0);
            let from = serde_json::to_value(&policy.spec.unwrap().ingress.unwrap()[0].from).unwrap();
            let namespaces = json!({ "matchLabels": { "kubernetes.io/metadata.name": ns.name } });
            assert_eq!(from[0]["namespaceSelector"], namespaces);

            object.patch(&json!({ "spec": { "allow": ["Endpoints"] } })).await;
            count_is(data, 0).await;
            link.stays(Active).await;
            let told = ns.events_of(&link, "ChildDeleted", 1).await.remove(0);
            let note = told.note.unwrap_or_default();
            assert!(note.contains("NetworkPolicy") && note.contains("does not consent to policies"), "{note}");
            object.patch(&json!({ "spec": { "allow": ["Endpoints", "NetworkPolicy"] } })).await;
            count_is(data, 1).await;
            object.delete().await;
            link.reaches(Inactive).await;
            assert_eq!(ours(data).await, []);
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deleted_link_leaves_no_policy_in_another_namespace_even_if_a_user_removed_its_finalizer() {
    in_namespace(async |ns| {
        in_namespace(async |data| {
            prepare(ns).await;
            prepare(data).await;
            deny(data).await;
            data.create_yaml(&format!(
                "{{apiVersion: instancelink.dev/v1alpha1, kind: InstanceLinkGrant, metadata: {{name: g}}, spec: {{from: [{{namespace: {}}}], to: [{{kind: Deployment}}], allow: [Endpoints, NetworkPolicy]}}}}",
                ns.name
            ))
            .await;
            let target = json!({ "kind": "Deployment", "name": "pg", "namespace": data.name });
            let link = active(ns, web_db().spec("targetInstanceRef", target.clone())).await;
            count_is(data, 1).await;
            link.delete().await;
            link.is_gone().await;
            assert_eq!(ours(data).await, []);

            let link = active(ns, web_db().spec("targetInstanceRef", target)).await;
            count_is(data, 1).await;
            link.patch(&json!({ "metadata": { "finalizers": null } })).await;
            link.delete_with(&kube::api::DeleteParams::default()).await;
            link.is_gone().await;
            count_is(data, 0).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_that_a_user_changed_or_deleted_is_repaired() {
    in_namespace(async |ns| {
        prepare(ns).await;
        deny(ns).await;
        let link = active(ns, web_db()).await;
        let policy = count_is(ns, 1).await.remove(0);
        let object = ns.object("networking.k8s.io/v1", "NetworkPolicy", &policy.name_any());
        object.patch(&json!({ "spec": { "ingress": [{}] } })).await;
        eventually("it is as it was", SOON, async || {
            let found = ours(ns).await.pop().and_then(|p| p.spec);
            if found == policy.spec {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
        object.delete().await;
        count_is(ns, 1).await;
        link.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_with_pods_that_no_policy_can_select_is_reported() {
    in_namespace(async |ns| {
        prepare(ns).await;
        ns.fixed_service("fixed").await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/fixed").spec("networkPolicy", "Allow");
        let link = ns.link(manifest).await;
        let found = link.condition("Accepted", "False", "AddressingNotPossible").await;
        assert!(found.message.contains("networkPolicy: None"), "{}", found.message);
        link.edit(json!({ "networkPolicy": "None" })).await;
        link.reaches(Active).await;
    })
    .await;
}
