//! A Service of other clusters as a target: the clusterset IPs of its `ServiceImport`.
//!
//! Rule: contract#service-imports.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use harness::{
    Link, Namespace, Object, Reader, Try, eventually, idle_deployment, in_namespace, link, serving_deployment,
};
use instancelink_api::State::{Activating, Active, Requested};
use kube::api::ListParams;
use serde_json::{Value, json};

const API_VERSION: &str = "multicluster.x-k8s.io/v1alpha1";
const CRD: &str = "serviceimports.multicluster.x-k8s.io";
const ROLE: &str = "instancelink-scalable-serviceimports.multicluster.x-k8s.io";
/// The time until the operator notices an added CRD or right.
const NOTICED: Duration = Duration::from_secs(30);
const PODS_START: Duration = Duration::from_secs(90);

/// Runs a test while the CRD is installed. CRD and role are gone afterwards, even if the test fails.
async fn while_served(ns: &Namespace, test: impl AsyncFnOnce()) {
    let named = |api_version, kind, name| Object::named(&ns.client, "", api_version, kind, name);
    let crd = named("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD);
    let role = named("rbac.authorization.k8s.io/v1", "ClusterRole", ROLE);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/service-import.yaml");
    let yaml = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let manifest: Value = serde_yaml_ng::from_str(&yaml).unwrap();
    crd.create(&manifest).await;
    let imports = ns.object(API_VERSION, "ServiceImport", "any").api;
    eventually("imports are served", NOTICED, async || {
        let listed = imports.list(&ListParams::default()).await;
        listed.map(drop).map_err(|e| e.to_string())
    })
    .await;
    let outcome = AssertUnwindSafe(test()).catch_unwind().await;
    crd.delete().await;
    role.delete().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The missing right, as the link shows it, is applied.
async fn allow(link: &Link) {
    let is_missing = |l: &instancelink_api::InstanceLink| {
        let conditions = l.status.iter().flat_map(|status| &status.conditions);
        let mut refs = conditions.filter(|c| c.type_ == "ResolvedRefs" && c.reason == "KindNotSupported");
        refs.any(|c| c.message.contains("kind: ClusterRole"))
    };
    link.until_within("names the missing role", NOTICED, is_missing).await;
    let message = link
        .condition("ResolvedRefs", "False", "KindNotSupported")
        .await
        .message;
    Reader::of_the_cluster().applies(&message).await;
}

fn import(ip: &str) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": "ServiceImport", "metadata": { "name": "far" },
        "spec": {
            "type": "ClusterSetIP", "ips": [ip], "ports": [{ "name": "http", "protocol": "TCP", "port": 8080 }],
        },
    })
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_import_leads_to_its_cluster_set_ip_and_no_request_fails_on_the_way_there_and_back() {
    in_namespace(async |ns| {
        while_served(ns, async || {
            ns.create_object(&idle_deployment("web")).await;
            for name in ["near", "one"] {
                ns.create_object(&serving_deployment(name, name)).await;
            }
            ns.ready_addresses("near", 1).await;
            ns.ready_addresses("one", 1).await;
            // The address of an ordinary Service stands for the one that a controller of a cluster set gives.
            let stand_in = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "one" },
                "spec": { "selector": { "app": "one" }, "ports": [{ "name": "http", "port": 8080 }] },
            });
            let stand_in = ns.create_object(&stand_in).await.get().await;
            let ip = stand_in.data["spec"]["clusterIP"].as_str().unwrap().to_owned();
            ns.create_object(&import(&ip)).await;
            let to_import = json!({ "apiVersion": API_VERSION, "kind": "ServiceImport", "name": "far" });
            let to_near = json!({ "apiVersion": null, "kind": "Deployment", "name": "near" });

            // Another link has the kind watched first, so that the one with the traffic needs no discovery.
            let first =
                link("first", "first", "Deployment/web", "Service/x").spec("targetInstanceRef", to_import.clone());
            let first = ns.link(first).await;
            allow(&first).await;
            first.reaches_within(Active, NOTICED).await;
            ns.has_addresses_in("web-links", &BTreeSet::from([ip.parse().unwrap()]))
                .await;
            first.delete().await;
            first.is_gone().await;

            let (link, mut watch) = ns
                .watched_link(link("web-db", "db", "Deployment/web", "Deployment/near"))
                .await;
            watch.walks_within([Requested, Activating, Active], PODS_START).await;
            let targets = [&to_import, &to_near, &to_import].map(Value::clone);
            let tries = link.loses_nothing_when_retargeted(&mut watch, &targets).await;
            let servers: BTreeSet<_> = tries.iter().map(Try::server).collect();
            assert_eq!(servers, ["near", "one"].into(), "both targets have answered");
        })
        .await;
    })
    .await;
}
