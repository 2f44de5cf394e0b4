//! A grant that is in the storage already with a selector that Kubernetes refuses, as from a definition without the rules
//! of today. The test takes the rules out of the installed definition for a moment.
//!
//! Rules: contract#invalid-grants, contract#grant-status.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use harness::{Namespace, Object, Operator, Reader, SHORT, eventually, link_into, with_two_tenants};
use instancelink_api::State::Active;
use kube::api::PostParams;
use serde_json::{Value, json};

const DEFINITION: &str = "instancelinkgrants.instancelink.dev";
const RULES: &str = "x-kubernetes-validations";

/// Runs the body while the definition of grants has no rules. They are back afterwards, even if the body fails.
async fn without_rules(namespace: &Namespace, body: impl AsyncFnOnce()) {
    let (kind, version) = ("CustomResourceDefinition", "apiextensions.k8s.io/v1");
    let definition = Object::named(&namespace.client, "", version, kind, DEFINITION);
    let versions = definition.get().await.data["spec"]["versions"].clone();
    let mut lenient = versions.clone();
    remove_rules(&mut lenient);
    assert_ne!(lenient, versions, "the definition has rules");
    definition.patch(&json!({ "spec": { "versions": lenient } })).await;
    let outcome = AssertUnwindSafe(body()).catch_unwind().await;
    definition.patch(&json!({ "spec": { "versions": versions } })).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn remove_rules(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove(RULES);
            fields.values_mut().for_each(remove_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_rules),
        _ => {}
    }
}

/// A grant of the namespace to every other one, by mistake.
fn to_all(name: &str) -> Value {
    let requirement = json!({ "key": "team", "operator": "NotIn", "values": [] });
    json!({
        "apiVersion": "instancelink.dev/v1alpha1",
        "kind": "InstanceLinkGrant",
        "metadata": { "name": name },
        "spec": {
            "from": [{ "namespaceSelector": { "matchExpressions": [requirement] } }],
            "to": [{ "kind": "Service", "name": "pg" }],
        },
    })
}

/// Whether the API server takes it now.
async fn create(grants: &Object, manifest: &Value, dry_run: bool) -> Result<(), String> {
    let object = serde_json::from_value(manifest.clone()).map_err(|e| e.to_string())?;
    let params = PostParams {
        dry_run,
        ..PostParams::default()
    };
    grants
        .api
        .create(&params, &object)
        .await
        .map(drop)
        .map_err(|e| e.to_string())
}

/// Waits until `Accepted` has this status for the current generation, and returns its reason and its message.
async fn accepted(grant: &Object, status: &str) -> String {
    eventually("the grant says whether it is accepted", SHORT, async || {
        let object = grant.get().await;
        let condition = object.data.pointer("/status/conditions/0").cloned().unwrap_or_default();
        let is_current = condition["observedGeneration"] == json!(object.metadata.generation);
        if condition["status"] == status && is_current {
            Ok(format!("{}: {}", condition["reason"], condition["message"]))
        } else {
            Err(condition.to_string())
        }
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_stored_grant_with_an_invalid_selector_consents_to_nothing_and_says_so_after_a_restart() {
    with_two_tenants(async |shop, data| {
        let manifest = to_all("all");
        let grant = Object::of(&data.client, &data.name, &manifest);
        without_rules(data, async || {
            eventually("the API server stores the grant", SHORT, async || {
                create(&grant, &manifest, false).await
            })
            .await;
        })
        .await;
        eventually(
            "the API server refuses such grants again",
            SHORT,
            async || match create(&grant, &to_all("other"), true).await {
                Ok(()) => Err("it takes them".to_owned()),
                Err(_) => Ok(()),
            },
        )
        .await;
        let link = shop.link(link_into(data, "Service", "pg")).await;
        link.is_not_permitted().await;

        // The new operator finds the grant, and writes its status although the rules refuse the spec.
        let status = ["patch", "instancelinkgrant", "all", "--subresource=status"];
        let nothing = ["--type=merge", "-p", r#"{"status": null}"#];
        data.kubectl(&[&status[..], &nothing[..]].concat()).await.succeeds();
        Operator::of(&data.client).kill_all(data).await;
        let said = accepted(&grant, "False").await;
        assert!(
            said.starts_with("\"InvalidEntries\"") && said.contains("spec.from[0].namespaceSelector"),
            "{said}"
        );
        link.is_not_permitted().await;

        assert!(said.contains("leave the requirement out"), "{said}");
        let from = json!([{ "namespaceSelector": {} }]);
        let administrator = Reader::administrator(data).await;
        let valid = json!({ "spec": { "from": from } });
        administrator.changes(data, "instancelinkgrant/all", &valid).await;
        link.reaches(Active).await;
        accepted(&grant, "True").await;
    })
    .await;
}
