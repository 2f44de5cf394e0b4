//! What is the operator's own: objects of users that look like children are left alone, and no object in another namespace
//! has a say in a link.
//!
//! Rules: contract#ownership, lifecycle#no-wait-for-others, lifecycle#sweep-orphans, lifecycle#answers-of-others.

use std::time::Duration;

use harness::{Link, Namespace, Object, User, eventually, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Inactive, Removed};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
/// An object that others delete again and again is created once a minute (lifecycle#disputes).
const LATEST: Duration = Duration::from_secs(80);
const POLICY: &str = "networking.k8s.io/v1";
const HELD: &str = "example.org/mallory";
const UID_OF_NO_LINK: &str = "00000000-0000-4000-8000-000000000000";
/// As it is in the name of a policy.
const HASH_OF_NO_LINK: &str = "db8055e0e0";

fn finalizer() -> Value {
    json!({ "metadata": { "finalizers": [HELD] } })
}

/// An active link of alice into mallory's namespace, with a policy there, and mallory with the rights of an editor there.
async fn with_tenants(test: impl AsyncFnOnce(&Namespace, &Namespace, &Link)) {
    in_namespace(async |alice| {
        in_namespace(async |data| {
            let mallory = User::with_cluster_role(data, &format!("mallory-{}", data.name), "edit").await;
            alice.create_object(&idle_deployment("web")).await;
            data.create_object(&idle_deployment("pg")).await;
            data.create_yaml(
                "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress]}}",
            )
            .await;
            let consent = "allow: [Endpoints, NetworkPolicy]";
            data.create_yaml(&format!(
                "{{apiVersion: instancelink.dev/v1alpha1, kind: InstanceLinkGrant, metadata: {{name: g}}, spec: {{from: [{{namespace: {}}}], to: [{{kind: Deployment}}], {consent}}}}}",
                alice.name
            ))
            .await;
            let target = json!({ "kind": "Deployment", "name": "pg", "namespace": data.name });
            let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
                .spec("networkPolicy", "Allow")
                .spec("ports", json!([{ "name": "pg", "port": 8080 }]))
                .spec("activation", json!({ "targetWaitSeconds": 0 }))
                .spec("targetInstanceRef", target);
            let link = alice.link(manifest).await;
            link.reaches(Active).await;
            test(alice, &mallory.at_home(), &link).await;
        })
        .await;
    })
    .await;
}

/// The policy of alice's link.
async fn policy_in(data: &Namespace) -> Object {
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=instancelink");
    let name = eventually("the link has a policy", SOON, async || {
        let found = data
            .api::<NetworkPolicy>()
            .list(&ours)
            .await
            .map_err(|e| e.to_string())?;
        found
            .items
            .first()
            .map(kube::ResourceExt::name_any)
            .ok_or_else(|| "none".to_owned())
    })
    .await;
    data.object(POLICY, "NetworkPolicy", &name)
}

/// The object without what the API server adds, under this name.
async fn copied(object: &Object, name: &str) -> Value {
    let mut copy = serde_json::to_value(object.get().await).unwrap();
    for field in [
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "managedFields",
        "generation",
        "namespace",
    ] {
        copy["metadata"][field] = Value::Null;
    }
    copy["metadata"]["name"] = name.into();
    copy
}

async fn is_gone_or_going(object: &Object) {
    eventually("the operator has deleted it", SOON, async || {
        match object.find().await {
            Some(found) if found.metadata.deletion_timestamp.is_none() => Err("it stands".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
}

/// contract#ownership
#[tokio::test]
#[ignore = "needs a cluster"]
async fn objects_of_a_user_that_name_a_link_as_their_owner_are_left_alone() {
    in_namespace(async |ns| {
        for name in ["web", "pg"] {
            ns.create_object(&idle_deployment(name)).await;
        }
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("networkPolicy", "Allow")
            .spec("ports", json!([{ "name": "pg", "port": 8080 }]))
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        let owner = json!([{
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "web-db", "uid": link.uid().await,
        }]);
        let object_of = |api: &str, kind: &str, name: &str, more: Value| {
            let mut object = json!({
                "apiVersion": api, "kind": kind, "metadata": { "name": name, "ownerReferences": owner },
            });
            object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            object
        };
        let mut theirs = Vec::new();
        let selector = json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress"] } });
        let ports = json!({ "spec": { "ports": [{ "port": 80 }] } });
        let data = json!({ "stringData": { "password": "x" } });
        for object in [
            object_of(POLICY, "NetworkPolicy", "mine", selector),
            object_of("v1", "Service", "mine", ports.clone()),
            object_of("v1", "Service", "web-db-vip", ports),
            object_of("v1", "Secret", "mine", data.clone()),
            object_of("v1", "Secret", "web-db-binding", data),
            object_of("v1", "ConfigMap", "mine", json!({ "data": { "KEY": "value" } })),
        ] {
            let object = ns.create_object(&object).await;
            let uid = object.get().await.metadata.uid;
            theirs.push((object, uid));
        }
        link.edit(json!({ "description": "another turn" })).await;
        for (action, state) in [("deactivate", Inactive), ("activate", Active), ("remove", Removed)] {
            link.annotate(action).await.succeeds();
            link.reaches(state).await;
        }
        for (object, uid) in &theirs {
            let found = object.get().await;
            assert_eq!((&found.metadata.uid, found.metadata.deletion_timestamp), (uid, None), "{}", object.name);
        }
    })
    .await;
}

/// lifecycle#no-wait-for-others
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_finalizer_of_the_other_tenant_on_a_policy_holds_neither_a_cut_nor_a_delete() {
    with_tenants(async |_, mallory, link| {
        let policy = policy_in(mallory).await;
        policy.patch(&finalizer()).await;
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        is_gone_or_going(&policy).await;
        link.delete().await;
        link.is_gone().await;
        policy.strip_finalizers().await;
    })
    .await;
}

/// lifecycle#no-wait-for-others
#[tokio::test]
#[ignore = "needs a cluster"]
async fn objects_that_the_other_tenant_forges_hold_neither_a_cut_nor_a_delete() {
    with_tenants(async |_, mallory, link| {
        let policy = policy_in(mallory).await;
        let uid = link.uid().await;
        let labels = json!({ "app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": uid });
        let mut forged = vec![mallory.create_object(&copied(&policy, "mine").await).await];
        for (kind, name, more) in [
            (
                "Service",
                "web-db-vip",
                json!({ "spec": { "ports": [{ "port": 80 }] } }),
            ),
            ("Secret", "web-db-binding", json!({ "type": "Opaque" })),
            ("ConfigMap", "web-links", json!({ "data": {} })),
        ] {
            let mut object = json!({
                "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "labels": labels, "annotations": {
                    "instancelink.dev/link": format!("{}/web-db", link.get().await.namespace().unwrap()),
                    "instancelink.dev/entries": format!(r#"{{"{uid}": []}}"#),
                } },
            });
            object
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            forged.push(mallory.create_object(&object).await);
        }
        for object in forged.iter().chain([&policy]) {
            object.patch(&finalizer()).await;
        }
        link.annotate("deactivate").await.succeeds();
        link.reaches(Inactive).await;
        // Deleted by its own tenant and created again under the same name, it holds nothing either.
        let again = copied(&policy, &policy.name).await;
        policy.strip_finalizers().await;
        eventually("the policy is gone", SOON, async || {
            policy.find().await.map_or(Ok(()), |_| Err("it stands".to_owned()))
        })
        .await;
        let mut again = again;
        again["metadata"]["deletionTimestamp"] = Value::Null;
        again["metadata"]["deletionGracePeriodSeconds"] = Value::Null;
        again["metadata"]["finalizers"] = json!([HELD]);
        let again = mallory.create_object(&again).await;
        link.delete().await;
        link.is_gone().await;
        is_gone_or_going(&again).await;
        for object in forged.iter().chain([&again]) {
            object.strip_finalizers().await;
        }
    })
    .await;
}

/// lifecycle#sweep-orphans
#[tokio::test]
#[ignore = "needs a cluster"]
async fn strays_whose_annotation_is_no_name_are_swept_and_lead_to_no_other_object() {
    with_tenants(async |_, mallory, link| {
        let policy = policy_in(mallory).await;
        let mut strays = Vec::new();
        for (number, named) in [
            "ns/name/status",
            "../../../../api/v1/namespaces/kube-system/configmaps/coredns",
            "..",
            "",
        ]
        .into_iter()
        .enumerate()
        {
            let mut stray = copied(&policy, &format!("never-{number}-{HASH_OF_NO_LINK}")).await;
            stray["metadata"]["labels"]["instancelink.dev/link-uid"] = UID_OF_NO_LINK.into();
            stray["metadata"]["annotations"]["instancelink.dev/link"] = named.into();
            strays.push(mallory.create_object(&stray).await);
        }
        for stray in &strays {
            is_gone_or_going(stray).await;
        }
        link.stays(Active).await;
        assert!(policy.find().await.is_some());
    })
    .await;
}

/// lifecycle#answers-of-others
#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_environment_that_is_deleted_under_a_storm_of_actions_has_the_variables_of_all_active_links() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let mut links = Vec::new();
        for (name, alias) in [("first", "db"), ("second", "cache"), ("third", "queue")] {
            let link = ns.link(link(name, alias, "Deployment/web", "Service/pg")).await;
            link.reaches(Active).await;
            links.push(link);
        }
        let environment = ns.object("v1", "ConfigMap", "web-links");
        for round in 0..8 {
            let action = if round % 2 == 0 { "deactivate" } else { "activate" };
            let delete = async {
                for _ in 0..20 {
                    if environment.find().await.is_some() {
                        let api = ns.api::<ConfigMap>();
                        let _ = api.delete("web-links", &kube::api::DeleteParams::default()).await;
                    }
                }
            };
            let act = async { links[2].annotate(&format!("{action}/{round}")).await.succeeds() };
            tokio::join!(delete, act);
            links[2].reaches(if round % 2 == 0 { Inactive } else { Active }).await;
        }
        eventually("the variables of all links are there", LATEST, async || {
            let map = ns
                .api::<ConfigMap>()
                .get("web-links")
                .await
                .map_err(|e| e.to_string())?;
            let data = map.data.unwrap_or_default();
            let missing: Vec<_> = ["DB_NAME", "CACHE_NAME", "QUEUE_NAME"]
                .into_iter()
                .filter(|key| !data.contains_key(*key))
                .collect();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("without {missing:?}"))
            }
        })
        .await;
        for link in &links {
            link.is_programmed_again().await;
        }
    })
    .await;
}
