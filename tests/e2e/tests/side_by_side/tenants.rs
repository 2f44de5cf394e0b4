//! Two tenants, each with all rights in their own namespace and none elsewhere. Mallory wants addresses of alice's
//! pods in her own slices. Addresses that alice did not consent to never appear there.
//!
//! Rules: contract#consent, lifecycle#only-with-consent.

use std::time::Duration;

use harness::{
    Hold, Link, Namespace, SHORT, Slices, User, idle_deployment, in_namespace, kubectl, link, link_into,
    serving_deployment, serving_pod,
};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Much shorter than every drain, and long enough to see what must not happen.
const A_WHILE: Duration = Duration::from_secs(2);
const POD_STARTS: Duration = Duration::from_secs(90);

/// The two tenants. Each namespace has a client with the rights of its tenant.
struct Tenants {
    mallory: Namespace,
    alice: Namespace,
    /// Every version of the slices in mallory's namespace.
    slices: Slices,
    /// Mallory's namespace, with the rights of the cluster administrator.
    shop: Namespace,
    attacker: User,
}

/// Mallory has the source `web`. Alice has the Deployments `pg` and `public`, each with a ready pod.
async fn with_tenants(test: impl AsyncFnOnce(&Tenants)) {
    in_namespace(async |shop| {
        in_namespace(async |data| {
            let attacker = User::with_cluster_role(shop, &format!("mallory-{}", shop.name), "admin").await;
            let victim = User::with_cluster_role(data, &format!("alice-{}", data.name), "admin").await;
            let (mallory, alice) = (attacker.at_home(), victim.at_home());
            mallory.create_object(&idle_deployment("web")).await;
            for name in ["pg", "public"] {
                alice.create_object(&serving_deployment(name, name)).await;
            }
            for name in ["pg", "public"] {
                alice.ready_addresses(name, 1).await;
            }
            let slices = Slices::watch(shop).await;
            let shop = shop.clone();
            test(&Tenants {
                mallory,
                alice,
                slices,
                shop,
                attacker,
            })
            .await;
        })
        .await;
    })
    .await;
}

impl Tenants {
    /// Alice consents to links from mallory's namespace.
    async fn consents_to(&self, kind: &str, name: &str) -> harness::Object {
        let from = json!({ "namespace": self.mallory.name });
        let to = json!({ "kind": kind, "name": name });
        self.alice
            .grant(&format!("{}-{name}", kind.to_lowercase()), &from, &to)
            .await
    }

    /// Mallory's link into alice's namespace. It also publishes pods that are not ready.
    async fn link_to(&self, kind: &str, name: &str) -> Link {
        let manifest = link_into(&self.alice, kind, name)
            .spec("publishNotReadyAddresses", true)
            .spec("deactivation", json!({ "drainSeconds": 600 }));
        self.mallory.link(manifest).await
    }

    /// Alice's current pods with a label `app`.
    async fn pods(&self, app: &str) -> Vec<Pod> {
        self.alice.pods_of(app).await
    }

    async fn pod(&self, app: &str) -> Pod {
        self.pods(app).await.remove(0)
    }

    /// Waits until mallory's alias has no endpoints.
    async fn shows_nothing(&self) {
        self.shop.has_addresses_in("web-links", &[].into()).await;
    }

    async fn shows(&self, app: &str) {
        let addresses = self.alice.ready_addresses(app, 1).await;
        self.shop.has_addresses_in("web-links", &addresses).await;
        self.slices.showed(&self.pods(app).await).await;
    }

    /// Replaces every pod of a Deployment. A link that still follows it would show the new pods.
    async fn replaces(&self, app: &str) -> Vec<Pod> {
        let old = self.pod(app).await;
        let named = self.alice.object("v1", "Pod", &old.name_any());
        named.delete().await;
        harness::eventually("another pod is ready", POD_STARTS, async || {
            let now = self.pods(app).await;
            let other = now.iter().any(|pod| pod.uid() != old.uid());
            if other && now.len() == 1 {
                Ok(())
            } else {
                Err(format!("{} pods", now.len()))
            }
        })
        .await;
        self.alice.ready_addresses(app, 1).await;
        self.pods(app).await
    }
}

fn to(namespace: &Namespace, kind: &str, name: &str) -> Value {
    json!({ "targetInstanceRef": { "apiVersion": null, "kind": kind, "name": name, "namespace": namespace.name } })
}

fn headless(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "clusterIP": "None", "selector": { "app": app }, "ports": [{ "port": 8080 }] },
    })
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_a_grant_no_reference_leads_to_a_pod_of_the_other_tenant() {
    with_tenants(async |t| {
        t.alice.create_object(&headless("pg", "pg")).await;
        let pod = t.pod("pg").await;
        let set = pod.metadata.owner_references.as_ref().unwrap()[0].name.clone();
        let link = t.link_to("Deployment", "pg").await;
        link.is_not_permitted().await;
        for (kind, name) in [("Service", "pg"), ("Pod", &pod.name_any()), ("ReplicaSet", &set)] {
            link.edit(to(&t.alice, kind, name)).await;
            for addressing in ["PodIP", "Auto"] {
                link.edit(json!({ "addressing": addressing })).await;
                sleep(Duration::from_millis(300)).await;
            }
            link.is_not_permitted().await;
        }
        t.slices.never_showed(&t.pods("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn no_object_in_a_tenants_namespace_gives_access_to_a_pod_of_the_other_tenant() {
    with_tenants(async |t| {
        let pod = t.pod("pg").await;
        // With the same names and labels, with alice's ReplicaSet as owner, and with her selector.
        t.mallory.create_object(&headless("pg", "none")).await;
        let external = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "far" },
            "spec": { "type": "ExternalName", "externalName": format!("pg.{}.svc.cluster.local", t.alice.name) },
        });
        t.mallory.create_object(&external).await;
        t.mallory.create_object(&idle_deployment("pg")).await;
        let mut double = serving_pod(&pod.name_any(), &[("app", "pg")], "double");
        double["metadata"]["labels"] = json!(pod.labels());
        t.mallory.create_object(&double).await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("publishNotReadyAddresses", true);
        let link = t.mallory.link(manifest).await;
        link.reaches(Active).await;
        let service = t.mallory.object("v1", "Service", "pg");
        service.patch(&json!({ "spec": { "selector": { "app": "pg" } } })).await;
        for (kind, name) in [
            ("Deployment", "pg"),
            ("Service", "far"),
            ("Pod", &pod.name_any()),
            ("Service", "pg"),
        ] {
            link.edit(to(&t.mallory, kind, name)).await;
            sleep(Duration::from_millis(500)).await;
        }
        sleep(A_WHILE).await;
        t.slices.never_showed(&t.pods("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_tenant_cannot_consent_for_the_other() {
    with_tenants(async |t| {
        let grant = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant", "metadata": { "name": "own" },
            "spec": { "from": [{ "namespace": t.mallory.name }], "to": [{ "kind": "Deployment" }] },
        });
        let there = ["-n", t.alice.name.as_str(), "create", "-f", "-"];
        t.attacker
            .kubectl_with(&there, &grant.to_string())
            .await
            .is_refused_with(&["forbidden"]);
        t.mallory.create_object(&grant).await;
        let link = t.link_to("Deployment", "pg").await;
        link.is_not_permitted().await;
        t.slices.never_showed(&t.pods("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_revoked_during_activation_shows_no_pod_and_one_revoked_later_shows_no_new_pod() {
    with_tenants(async |t| {
        let given = t.consents_to("Deployment", "pg").await;
        let hold = Hold::writes(&t.shop, "endpointslices", &["CREATE"]).await;
        let link = t.link_to("Deployment", "pg").await;
        link.condition("Programmed", "False", "AdmissionDenied").await;
        given.delete().await;
        hold.lift().await;
        link.reaches(Inactive).await;
        sleep(A_WHILE).await;
        t.slices.never_showed(&t.pods("pg").await).await;

        let given = t.consents_to("Deployment", "pg").await;
        link.reaches(Active).await;
        t.shows("pg").await;
        given.delete().await;
        t.shows_nothing().await;
        let new = t.replaces("pg").await;
        t.slices.never_showed(&new).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_virtual_ip_shows_no_pod_without_consent_either() {
    with_tenants(async |t| {
        let ports = json!([{ "name": "http", "port": 80, "targetPort": 8080 }]);
        let manifest = link_into(&t.alice, "Deployment", "pg")
            .spec("addressing", "VirtualIP")
            .spec("ports", ports);
        let link = t.mallory.link(manifest).await;
        link.is_not_permitted().await;
        t.slices.never_showed(&t.pods("pg").await).await;
        let given = t.consents_to("Deployment", "pg").await;
        link.reaches(Active).await;
        t.slices.showed(&t.pods("pg").await).await;
        given.delete().await;
        link.reaches(Inactive).await;
        assert!(t.shop.slices().await.is_empty());
        let new = t.replaces("pg").await;
        t.slices.never_showed(&new).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_namespace_that_is_deleted_and_created_again_shows_none_of_its_pods() {
    with_tenants(async |t| {
        t.consents_to("Deployment", "pg").await;
        t.link_to("Deployment", "pg").await;
        t.shows("pg").await;
        kubectl(&["delete", "namespace", &t.alice.name]).await.succeeds();
        kubectl(&["create", "namespace", &t.alice.name]).await.succeeds();
        t.shows_nothing().await;
        let recreated = Namespace {
            client: t.shop.client.clone(),
            name: t.alice.name.clone(),
        };
        let account = recreated.object("v1", "ServiceAccount", "default");
        harness::eventually("the namespace has a service account", SHORT, async || {
            account.find().await.map(drop).ok_or_else(|| "none yet".to_owned())
        })
        .await;
        recreated.create_object(&serving_deployment("pg", "pg")).await;
        recreated.ready_addresses("pg", 1).await;
        sleep(A_WHILE).await;
        t.slices.never_showed(&recreated.pods_of("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_grant_for_another_kind_or_name_shows_no_pod_after_any_edit_of_the_link() {
    with_tenants(async |t| {
        t.consents_to("Deployment", "public").await;
        t.consents_to("Service", "pg").await;
        t.consents_to("StatefulSet", "pg").await;
        let link = t.link_to("Deployment", "pg").await;
        link.is_not_permitted().await;
        for round in 0..6 {
            link.edit(to(&t.alice, "Deployment", "public")).await;
            if round % 2 == 0 {
                t.shows("public").await;
            }
            link.edit(to(&t.alice, "Deployment", "pg")).await;
        }
        link.reaches(Inactive).await;
        link.is_not_permitted().await;
        t.slices.never_showed(&t.pods("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_is_renamed_is_not_followed_even_if_its_pods_are_the_same() {
    with_tenants(async |t| {
        t.consents_to("Deployment", "pg").await;
        let link = t.link_to("Deployment", "pg").await;
        t.shows("pg").await;
        // Another Deployment adopts its pods.
        let renamed = |name: &str| {
            let mut manifest = serving_deployment("pg", "pg");
            manifest["metadata"]["name"] = name.into();
            manifest
        };
        let orphan = DeleteParams {
            propagation_policy: Some(kube::api::PropagationPolicy::Orphan),
            ..DeleteParams::default()
        };
        t.alice.object("apps/v1", "Deployment", "pg").delete_with(&orphan).await;
        t.alice.create_object(&renamed("pg-private")).await;
        t.shows_nothing().await;
        link.condition("ResolvedRefs", "False", "TargetNotFound").await;
        let new = t.replaces("pg").await;
        t.shows_nothing().await;
        t.slices.never_showed(&new).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn pods_that_an_edited_selector_no_longer_selects_are_not_shown() {
    with_tenants(async |t| {
        t.alice.create_object(&headless("front", "public")).await;
        t.consents_to("Service", "front").await;
        t.link_to("Service", "front").await;
        t.shows("public").await;
        let patch = r#"{"spec":{"selector":{"app":"pg"}}}"#;
        let there = ["-n", t.alice.name.as_str(), "patch", "service", "front", "-p", patch];
        t.attacker.kubectl(&there).await.is_refused_with(&["forbidden"]);
        t.slices.never_showed(&t.pods("pg").await).await;
        let front = t.alice.object("v1", "Service", "front");
        front
            .patch(&json!({ "spec": { "selector": { "app": "nobody" } } }))
            .await;
        t.shows_nothing().await;
        let new = t.replaces("public").await;
        t.slices.never_showed(&new).await;
        // Without a selector the Service has no pods.
        front.patch(&json!({ "spec": { "selector": null } })).await;
        sleep(A_WHILE).await;
        t.slices.never_showed(&new).await;
        t.slices.never_showed(&t.pods("pg").await).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_whose_labels_are_edited_to_join_the_target_is_not_shown() {
    with_tenants(async |t| {
        t.consents_to("Deployment", "public").await;
        t.link_to("Deployment", "public").await;
        t.shows("public").await;
        let stray = t
            .alice
            .create_object(&serving_pod("stray", &[("app", "stray")], "stray"))
            .await;
        t.alice.ready_addresses("stray", 1).await;
        stray
            .patch(&json!({ "metadata": { "labels": { "app": "public" } } }))
            .await;
        // Nor a pod of another Deployment of alice, which leaves that Deployment by a change of its labels.
        let pg = t.pod("pg").await;
        let moved = t.alice.object("v1", "Pod", &pg.name_any());
        moved
            .patch(&json!({ "metadata": { "labels": { "app": "public" } } }))
            .await;
        sleep(A_WHILE).await;
        let all = t.alice.api::<Pod>().list(&ListParams::default()).await.unwrap().items;
        let hidden: Vec<Pod> = all
            .into_iter()
            .filter(|pod| !pod.name_any().starts_with("public-"))
            .collect();
        assert!(hidden.len() >= 2);
        t.slices.never_showed(&hidden).await;
    })
    .await;
}
