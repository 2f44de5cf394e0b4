//! References are written whole, whatever a user writes them with. The sequences of writes are in the tests of conformance;
//! these tests show what they mean for a link in use.
//!
//! Rules: contract#atomic-references.

use harness::{Link, LinkManifest, Namespace, link, link_into, with_two_tenants};
use instancelink_api::State::Active;
use serde_json::{Value, json};

/// The commands that write a manifest.
const COMMANDS: [&[&str]; 4] = [
    &["apply", "-f", "-"],
    &["apply", "--server-side", "--field-manager=gitops", "-f", "-"],
    &[
        "apply",
        "--server-side",
        "--field-manager=gitops",
        "--force-conflicts",
        "-f",
        "-",
    ],
    &["replace", "-f", "-"],
];

fn manifest() -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Service/pg")
}

async fn writes(ns: &Namespace, command: &[&str], manifest: &LinkManifest) -> harness::Output {
    ns.kubectl_with(command, &manifest.to_yaml()).await
}

async fn target(link: &Link) -> Value {
    let target = link.get().await.spec.target_instance_ref;
    serde_json::to_value(target).unwrap()
}

/// Another client points the target into another namespace, and the manifest is written again: the link has the target of the
/// manifest. Without force, server-side apply says who has the reference.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_manifest_that_is_written_again_has_its_own_target_and_not_the_namespace_of_an_edit() {
    with_two_tenants(async |shop, data| {
        for service in ["pg", "pg2"] {
            shop.fixed_service(service).await;
        }
        for command in COMMANDS {
            let first = if command[0] == "replace" { COMMANDS[0] } else { command };
            writes(shop, first, &manifest()).await.succeeds();
            let link = Link::at(shop, "web-db");
            link.reaches(Active).await;
            link.edit(json!({ "targetInstanceRef": { "kind": "Service", "name": "pg2", "namespace": data.name } }))
                .await;
            // A replacement is refused if the operator writes the status in the same moment.
            link.condition("ResolvedRefs", "False", "").await;
            let written = writes(shop, command, &manifest()).await;
            if command.contains(&"--field-manager=gitops") && !command.contains(&"--force-conflicts") {
                written.is_refused_with(&["conflict", ".spec.targetInstanceRef"]);
                assert_eq!(target(&link).await["namespace"], json!(data.name), "{command:?}");
            } else {
                written.succeeds();
                assert_eq!(
                    target(&link).await,
                    json!({ "kind": "Service", "name": "pg" }),
                    "{command:?}"
                );
                link.condition("ResolvedRefs", "True", "Resolved").await;
            }
            link.delete().await;
            link.is_gone().await;
        }
    })
    .await;
}

/// The other direction: a namespace in the manifest comes back after an edit took it away.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_in_the_manifest_comes_back_when_it_is_written_again() {
    with_two_tenants(async |shop, data| {
        data.grant(
            "shop",
            &json!({ "namespace": shop.name }),
            &json!({ "kind": "Service" }),
        )
        .await;
        shop.fixed_service("pg2").await;
        let manifest = link_into(data, "Service", "pg");
        let wanted = json!({ "kind": "Service", "name": "pg", "namespace": data.name });
        for command in [COMMANDS[0], COMMANDS[2]] {
            writes(shop, command, &manifest).await.succeeds();
            let link = Link::at(shop, "web-db");
            link.reaches(Active).await;
            link.edit(json!({ "targetInstanceRef": { "name": "pg2", "namespace": null } }))
                .await;
            writes(shop, command, &manifest).await.succeeds();
            assert_eq!(target(&link).await, wanted, "{command:?}");
            link.delete().await;
            link.is_gone().await;
        }
    })
    .await;
}

/// A version that the kind determines may come and go, and is not mixed into a reference to another kind.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_version_of_another_client_does_not_stay_in_a_reference() {
    with_two_tenants(async |shop, _data| {
        shop.fixed_service("pg").await;
        shop.create_object(&harness::idle_deployment("pg2")).await;
        for command in [COMMANDS[0], COMMANDS[2], COMMANDS[3]] {
            let first = if command[0] == "replace" { COMMANDS[0] } else { command };
            writes(shop, first, &manifest()).await.succeeds();
            let link = Link::at(shop, "web-db");
            link.edit(json!({
                "instanceRef": { "apiVersion": "apps/v1" },
                "targetInstanceRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "pg2" },
            }))
            .await;
            writes(shop, command, &manifest()).await.succeeds();
            assert_eq!(
                target(&link).await,
                json!({ "kind": "Service", "name": "pg" }),
                "{command:?}"
            );
            let source = serde_json::to_value(link.get().await.spec.instance_ref).unwrap();
            assert_eq!(source, json!({ "kind": "Deployment", "name": "web" }), "{command:?}");
            link.reaches(Active).await;
            link.delete().await;
            link.is_gone().await;
        }
    })
    .await;
}
