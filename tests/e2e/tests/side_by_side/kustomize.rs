//! kustomize changes the names of objects. With the component of this repository, the references of links, grants and pods
//! follow. The kustomize is the real one: it is a part of kubectl.
//!
//! Rule: contract#kustomize.

use std::collections::BTreeSet;

use harness::{Link, in_namespace, kubectl};
use instancelink_api::State::Active;
use serde::Deserialize as _;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/kustomize");
const LABEL: &str = "instancelink.dev/inject-links-of";

async fn built(overlay: &str) -> Vec<Value> {
    let built = kubectl(&["kustomize", &format!("{FOLDER}/{overlay}")]).await.succeeds();
    let documents = serde_yaml_ng::Deserializer::from_str(&built);
    documents
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// All labels of pods that name a source, wherever the pod template is.
fn labels(object: &Value, found: &mut Vec<String>) {
    for (key, value) in object.as_object().into_iter().flatten() {
        if key == LABEL {
            found.push(text(value));
        }
        labels(value, found);
    }
}

/// The references of these objects that lead to none of them, as `Kind/name`.
fn left_behind(objects: &[Value]) -> BTreeSet<String> {
    let names: BTreeSet<String> = objects
        .iter()
        .map(|object| format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"])))
        .collect();
    let mut references = BTreeSet::new();
    let mut refers = |reference: &Value, kind: &Value| {
        if !reference["name"].is_null() && reference["namespace"].is_null() {
            references.insert(format!("{}/{}", text(kind), text(&reference["name"])));
        }
    };
    for object in objects {
        let spec = &object["spec"];
        for field in ["instanceRef", "targetInstanceRef"] {
            refers(&spec[field], &spec[field]["kind"]);
        }
        refers(&spec["outputs"]["binding"]["secretRef"], &"Secret".into());
        for entry in spec["to"].as_array().into_iter().flatten() {
            refers(entry, &entry["kind"]);
        }
    }
    let mut sources = Vec::new();
    for object in objects {
        labels(object, &mut sources);
    }
    let is_source = |name: &String| names.iter().any(|known| known.ends_with(&format!("/{name}")));
    let lost = sources
        .into_iter()
        .filter(|name| !is_source(name))
        .map(|name| format!("label/{name}"));
    references
        .into_iter()
        .filter(|reference| !names.contains(reference))
        .chain(lost)
        .collect()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn names_that_kustomize_changes_follow_into_links_grants_and_pods() {
    let objects = built("overlay").await;
    assert_eq!(left_behind(&objects), BTreeSet::new());
    let links = objects.iter().filter(|object| object["kind"] == "InstanceLink");
    let (mut same, mut other) = (0, 0);
    for link in links {
        let target = &link["spec"]["targetInstanceRef"];
        same += usize::from(target["name"] == "dev-pg-blue");
        other += usize::from(*target == serde_json::json!({"kind": "Service", "name": "pg", "namespace": "data"}));
    }
    // Of a Service and of a StatefulSet of the same name; and of another namespace.
    assert_eq!((same, other), (3, 1));
    let lost = left_behind(&built("without").await);
    for reference in [
        "Deployment/web",
        "StatefulSet/pg",
        "Service/pg",
        "Secret/credentials",
        "label/web",
    ] {
        assert!(
            lost.contains(reference),
            "the component is what keeps {reference}: {lost:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_of_a_kustomization_with_a_prefix_becomes_active() {
    in_namespace(async |ns| {
        ns.kubectl(&["apply", "-k", &format!("{FOLDER}/overlay")])
            .await
            .succeeds();
        for name in ["dev-web-db-blue", "dev-web-svc-blue"] {
            let link = Link::at(ns, name);
            link.reaches(Active).await;
            link.condition("ResolvedRefs", "True", "Resolved").await;
            link.condition("Available", "True", "EndpointsReady").await;
        }
        let pods = ns.ready_addresses("pg", 1).await;
        ns.has_addresses_in("dev-web-blue-links", &pods).await;
    })
    .await;
}
