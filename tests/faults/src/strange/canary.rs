//! Whether the operator still sees a kind: in the namespace of the tenant, an object of this kind is created, changed or
//! deleted, and a link must follow.

use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Namespace, Object, eventually, idle_deployment, link};
use instancelink_api::State::{Active, Inactive};
use instancelink_api::keys;
use kube::Client;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::kinds::Kind;

/// How long a link may take to follow.
const FOLLOWS: Duration = Duration::from_mins(1);
const MANIFESTS: &str = "../manifests";

/// The tenant whose links must not notice anything.
pub struct Tenant {
    /// Its namespace, with the source `web`.
    pub home: Namespace,
    /// A namespace with targets, whose consents it needs.
    pub friend: Namespace,
}

impl Tenant {
    /// Its objects.
    pub async fn settle(home: Namespace, friend: Namespace) -> Self {
        home.create_object(&idle_deployment("guarded")).await;
        let isolates = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed"},
            "spec": {"podSelector": {"matchLabels": {"app": "guarded"}}, "policyTypes": ["Ingress"], "ingress": []},
        });
        home.create_object(&isolates).await;
        Self { home, friend }
    }

    /// How long the links take to follow a change of an object of this kind.
    pub async fn follows(&self, kind: &Kind, number: u32) -> Duration {
        match kind.kind {
            "InstanceLink" => self.link(number).await,
            "InstanceLinkGrant" | "ReferenceGrant" | "Namespace" => self.consent(kind, number).await,
            "EndpointSlice" | "ConfigMap" | "Secret" | "NetworkPolicy" => self.child(kind, number).await,
            "Job" | "CronJob" => self.source(kind, number).await,
            _ => self.target(kind, number).await,
        }
    }

    /// A link is created, cut and deleted.
    async fn link(&self, number: u32) -> Duration {
        let name = format!("c-{number}");
        let started = Instant::now();
        let link = self.home.link(link(&name, &name, "Deployment/web", "Service/pg")).await;
        link.reaches_within(Active, FOLLOWS).await;
        link.edit(json!({ "desiredState": "Inactive" })).await;
        link.reaches_within(Inactive, FOLLOWS).await;
        link.delete().await;
        link.is_gone().await;
        started.elapsed()
    }

    /// A link of a new object of the kind becomes active.
    async fn source(&self, kind: &Kind, number: u32) -> Duration {
        let name = format!("c-{}-{number}", kind.kind.to_lowercase());
        let started = Instant::now();
        let object = self.home.create_object(&kind.base(&name)).await;
        let source = format!("{}/{name}", kind.kind);
        let link = self.home.link(link(&name, &name, &source, "Service/pg")).await;
        link.reaches_within(Active, FOLLOWS).await;
        let took = started.elapsed();
        link.delete().await;
        link.is_gone().await;
        object.delete().await;
        took
    }

    /// A link to a new object of the kind becomes active.
    async fn target(&self, kind: &Kind, number: u32) -> Duration {
        let name = format!("c-{}-{number}", kind.kind.to_lowercase());
        let started = Instant::now();
        let object = self.home.create_object(&kind.base(&name)).await;
        if kind.kind == "Widget" {
            let status = json!({"status": {"replicas": 0, "selector": format!("app={name}")}});
            let parameters = PatchParams::default();
            let patched = object
                .api
                .patch_status(&name, &parameters, &Patch::Merge(&status))
                .await;
            patched.expect("the status");
        }
        let target = json!({"apiVersion": kind.api_version, "kind": kind.kind, "name": name});
        let link = link(&name, &name, "Deployment/web", "Service/pg")
            .spec("targetInstanceRef", target)
            .spec("activation", json!({"targetWaitSeconds": 0}));
        let link = self.home.link(link).await;
        link.reaches_within(Active, FOLLOWS).await;
        let took = started.elapsed();
        link.delete().await;
        link.is_gone().await;
        object.delete().await;
        took
    }

    /// A consent is given and taken back.
    async fn consent(&self, kind: &Kind, number: u32) -> Duration {
        let name = format!("c-{}-{number}", kind.kind.to_lowercase());
        let target = json!({"kind": "Service", "name": "pg", "namespace": self.friend.name});
        let link = link(&name, &name, "Deployment/web", "Service/pg").spec("targetInstanceRef", target);
        let started = Instant::now();
        let grant = self.friend.create_object(&self.grant(kind, &name)).await;
        let namespace = Object::named(&self.home.client, "", "v1", "Namespace", &self.home.name);
        if kind.kind == "Namespace" {
            namespace.patch(&json!({"metadata": {"labels": {"team": name}}})).await;
        }
        let link = self.home.link(link).await;
        link.reaches_within(Active, FOLLOWS).await;
        if kind.kind == "Namespace" {
            namespace.patch(&json!({"metadata": {"labels": {"team": null}}})).await;
        } else {
            grant.delete().await;
        }
        link.reaches_within(Inactive, FOLLOWS).await;
        let took = started.elapsed();
        link.delete().await;
        link.is_gone().await;
        grant.delete().await;
        took
    }

    fn grant(&self, kind: &Kind, name: &str) -> Value {
        let (api_version, grant) = match kind.kind {
            "Namespace" => (keys::API_VERSION, keys::GRANT_KIND),
            _ => (kind.api_version, kind.kind),
        };
        let spec = match kind.kind {
            "Namespace" => json!({
                "from": [{"namespaceSelector": {"matchLabels": {"team": name}}}], "to": [{"kind": "Service", "name": "pg"}],
            }),
            "ReferenceGrant" => json!({
                "from": [{"group": keys::GROUP, "kind": keys::KIND, "namespace": self.home.name}],
                "to": [{"group": "", "kind": "Service", "name": "pg"}],
            }),
            _ => json!({"from": [{"namespace": self.home.name}], "to": [{"kind": "Service", "name": "pg"}]}),
        };
        json!({"apiVersion": api_version, "kind": grant, "metadata": {"name": name}, "spec": spec})
    }

    /// A child of an active link is deleted, and written again. Each link of this tenant is repaired once: later repairs
    /// of one link wait longer on purpose.
    async fn child(&self, kind: &Kind, number: u32) -> Duration {
        let name = format!("c-{}-{number}", kind.kind.to_lowercase());
        let source = self.home.create_object(&idle_deployment(&name)).await;
        let link = link(&name, &name, &format!("Deployment/{name}"), "Deployment/guarded")
            .spec("networkPolicy", "Allow")
            .spec("ports", json!([{"name": "pg", "port": 5432}]))
            .spec("activation", json!({"targetWaitSeconds": 0}))
            .spec("outputs", json!({"binding": {"type": "postgresql"}}));
        let link = self.home.link(link).await;
        link.reaches_within(Active, FOLLOWS).await;
        let child = match kind.kind {
            "EndpointSlice" => format!("{name}-v4"),
            "ConfigMap" => format!("{name}-links"),
            "Secret" => format!("{name}-binding"),
            _ => format!("{name}-{}", instancelink_core::hash::hex(&link.uid().await, 10)),
        };
        let object = self.home.object(kind.api_version, kind.kind, &child);
        let before = object.get().await.uid();
        let started = Instant::now();
        object.delete().await;
        eventually(
            &format!("{} {child} is written again", kind.kind),
            FOLLOWS,
            async || match object.find().await {
                Some(found) if found.uid() != before => Ok(()),
                found => Err(format!("{:?}", found.map(|found| found.metadata.uid))),
            },
        )
        .await;
        let took = started.elapsed();
        link.delete().await;
        link.is_gone().await;
        source.delete().await;
        took
    }
}

/// Installs the kinds that are not part of Kubernetes, and the rights to read them and the Secrets of these namespaces.
/// Widgets have fields that their schema does not know.
pub async fn install(client: &Client, with_secrets: &[&Namespace]) {
    for mut crd in [manifests("reference-grant.yaml"), manifests("widget.yaml")].concat() {
        if crd["spec"]["group"] == "example.com" {
            let spec = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
            spec["x-kubernetes-preserve-unknown-fields"] = true.into();
        }
        Object::of(client, "", &crd).create(&crd).await;
    }
    let may =
        |resource: &str, verbs: &[&str]| json!({"apiGroups": ["example.com"], "resources": [resource], "verbs": verbs});
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "widgets", "labels": {"instancelink.dev/aggregate-to-operator": "true"}},
        "rules": [may("widgets", &["list", "watch"]), may("widgets/scale", &["get"])],
    });
    Object::of(client, "", &role).create(&role).await;
    for namespace in with_secrets {
        for manifest in manifests("../../deploy/overlays/binding/role.yaml") {
            namespace.create_object(&manifest).await;
        }
    }
}

fn manifests(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MANIFESTS).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    documents
        .map(|document| Value::deserialize(document).expect("YAML"))
        .collect()
}
