//! What a grant consents to, and what it says of itself.
//!
//! Rules: contract#invalid-grants, contract#grant-status, contract#granted-ports.

use harness::{Namespace, Object, Reader, SHORT, User, eventually, link_into, with_two_tenants};
use instancelink_api::State::{Active, Inactive};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// Waits until the condition `Accepted` of a grant has this status, and returns its message.
async fn accepted(grant: &Object, status: &str) -> String {
    eventually("the grant says whether it is accepted", SHORT, async || {
        let object = grant.get().await;
        let condition = object.data.pointer("/status/conditions/0").cloned().unwrap_or_default();
        let is_current = condition["observedGeneration"] == json!(object.metadata.generation);
        if condition["type"] == "Accepted" && condition["status"] == status && is_current {
            Ok(condition["message"].as_str().unwrap_or_default().to_owned())
        } else {
            Err(condition.to_string())
        }
    })
    .await
}

/// A grant of `data` to every namespace.
async fn to_all(data: &Namespace) -> Object {
    let all = json!({ "namespaceSelector": {} });
    data.grant("all", &all, &json!({ "kind": "Service", "name": "pg" }))
        .await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_with_an_invalid_selector_is_refused_and_a_valid_one_is_accepted() {
    with_two_tenants(async |shop, data| {
        let owner = User::with_cluster_role(data, &format!("owner-{}", data.name), "admin").await;
        let grant = to_all(&owner.at_home()).await;
        accepted(&grant, "True").await;
        let link = shop.link(link_into(data, "Service", "pg")).await;
        link.reaches(Active).await;
        for requirement in [
            json!({ "key": "team", "operator": "NotIn", "values": [] }),
            json!({ "key": "team", "operator": "NotIn" }),
            json!({ "key": "team", "operator": "DoesNotExist", "values": ["a"] }),
            json!({ "key": "the team", "operator": "DoesNotExist" }),
            json!({ "key": "team", "operator": "NotIn", "values": ["a b"] }),
        ] {
            let from = json!([{ "namespaceSelector": { "matchExpressions": [requirement] } }]);
            let patch = json!({ "spec": { "from": from } });
            let answer = grant
                .api
                .patch(&grant.name, &PatchParams::default(), &Patch::Merge(&patch))
                .await;
            let refused = answer.expect_err("a selector that Kubernetes refuses").to_string();
            assert!(refused.contains("spec.from[0].namespaceSelector"), "{refused}");
        }
        // A tenant may not say that its own grant is accepted.
        let forged = json!({ "status": { "conditions": [] } });
        let answer = grant
            .api
            .patch_status(&grant.name, &PatchParams::default(), &Patch::Merge(&forged))
            .await;
        assert!(answer.is_err(), "only the operator writes the status of a grant");
        link.stays(Active).await;
    })
    .await;
}

fn ports(ports: &Value) -> Value {
    json!({ "kind": "Service", "name": "pg", "ports": ports })
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_with_ports_permits_only_links_that_name_these_ports() {
    with_two_tenants(async |shop, data| {
        let from = json!({ "namespace": shop.name });
        data.grant("shop", &from, &ports(&json!([{ "port": 5432 }]))).await;
        let link = shop.link(link_into(data, "Service", "pg")).await;
        // Without a list, the target decides which ports it has.
        let message = link.is_not_permitted().await;
        assert!(!message.contains("ports:"), "{message}");
        link.edit(json!({ "ports": [{ "name": "pg", "port": 5432 }] })).await;
        link.reaches(Active).await;
        link.edit(json!({ "ports": [{ "name": "pg", "port": 5432 }, { "name": "ssh", "port": 22 }] }))
            .await;
        link.reaches(Inactive).await;
        let message = link.is_not_permitted().await;
        assert!(
            message.contains("    ports:\n    - port: 5432\n    - port: 22\n"),
            "{message}"
        );
        Reader::administrator(data).await.applies(&message).await;
        link.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_that_gets_ports_cuts_the_links_that_have_others() {
    with_two_tenants(async |shop, data| {
        let grant = to_all(data).await;
        let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
        let link = shop.link(manifest).await;
        link.reaches(Active).await;
        grant
            .patch(&json!({ "spec": { "to": [ports(&json!([{ "port": 1 }]))] } }))
            .await;
        link.reaches(Inactive).await;
        link.is_not_permitted().await;
        accepted(&grant, "True").await;
    })
    .await;
}
