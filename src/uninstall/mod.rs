//! `instancelink uninstall`: the links first, while the operator still serves their finalizers, then the installation.

mod ask;
mod links;
mod rest;

use anyhow::bail;
use k8s_openapi::api::core::v1 as core;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::args::Uninstall;
use crate::client;

/// Label on everything that `deploy/` installs.
const PART_OF: &str = "app.kubernetes.io/part-of=instancelink";
/// Label of the operator's pods.
const OPERATOR: &str = "app.kubernetes.io/name=instancelink,app.kubernetes.io/component=operator";

/// Asks, deletes the links, waits for them, and deletes the rest.
pub(crate) async fn run(options: Uninstall) -> anyhow::Result<()> {
    let config = client::config().await?;
    let client = client::for_calls(&config)?;
    let links = links::all(&client).await?;
    let installed = rest::find(&client, &options.operator_namespace).await?;
    if links.is_empty() && installed.is_empty() {
        println!("nothing to do: no links, and nothing labelled {PART_OF}");
        return Ok(());
    }
    println!("on {}:", config.cluster_url);
    for link in &links {
        println!("  delete {link}");
    }
    for object in &installed {
        println!("  delete {object}");
    }
    if !links.is_empty() && !options.operator_elsewhere && ready_operators(&client, &options).await? == 0 {
        bail!("{}", without_operator(links.len(), &options.operator_namespace));
    }
    if !options.yes {
        ask::confirm(links.len())?;
    }
    links::delete_all(&client, &options.operator_namespace).await?;
    rest::delete(&client, installed).await?;
    println!("done");
    Ok(())
}

async fn ready_operators(client: &Client, options: &Uninstall) -> anyhow::Result<usize> {
    let pods = ApiResource::erase::<core::Pod>(&());
    let pods = Api::<DynamicObject>::namespaced_with(client.clone(), &options.operator_namespace, &pods);
    let pods = pods.list(&ListParams::default().labels(OPERATOR)).await?;
    Ok(pods.iter().filter(|pod| is_ready(pod)).count())
}

fn is_ready(pod: &DynamicObject) -> bool {
    let conditions = pod.data.pointer("/status/conditions").and_then(Value::as_array);
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .into_iter()
            .flatten()
            .any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn without_operator(links: usize, namespace: &str) -> String {
    [
        &format!(
            "no operator pod is ready in namespace {namespace}, and {links} link(s) wait on a finalizer that only it \
             serves: deleting them now would hang. Nothing was deleted. What to do:"
        ),
        &format!("- start it: kubectl -n {namespace} scale deployment/instancelink --replicas=1"),
        "- if it runs in another namespace: --operator-namespace <namespace>",
        "- if it runs outside of the cluster: --operator-elsewhere",
        "- if it is gone for good, take the finalizers off by hand and delete what the links have in the cluster:",
        "  kubectl get il -A --no-headers -o custom-columns=:metadata.namespace,:metadata.name | while read ns name; do",
        r#"    kubectl -n $ns patch il $name --type=merge -p '{"metadata":{"finalizers":null}}'; done"#,
        "  kubectl delete services,configmaps,endpointslices -A -l app.kubernetes.io/managed-by=instancelink",
    ]
    .join("\n")
}
