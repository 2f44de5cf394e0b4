//! `instancelink uninstall` deletes the links first, while the operator can still remove their finalizers, and then the
//! installation (`contract#uninstall`).

mod ask;
mod links;
mod recreated;
mod rest;

use anyhow::bail;
use k8s_openapi::api::core::v1 as core;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::args::Uninstall;
use crate::client;
use rest::PART_OF;

/// The labels of the operator's pods.
const OPERATOR: &str = "app.kubernetes.io/name=instancelink,app.kubernetes.io/component=operator";

/// Asks for confirmation, deletes the links, waits for them, and deletes the rest.
pub(crate) async fn run(options: Uninstall) -> anyhow::Result<()> {
    let config = client::config().await?;
    let client = client::for_calls(&config)?;
    let links = links::all(&client).await?;
    let installed = rest::find(&client, &options.operator_namespace).await?;
    if links.is_empty() && installed.is_empty() {
        println!("nothing to do: there are no links and no objects with the label {PART_OF}");
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
        bail!("{}", operator_is_missing(links.len(), &options.operator_namespace));
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

fn operator_is_missing(links: usize, namespace: &str) -> String {
    [
        &format!(
            "nothing was deleted: no operator pod is ready in namespace {namespace}, and only the operator can remove the \
             finalizers of {links} link(s), so their deletion would not end. What to do:"
        ),
        &format!("- start the operator: kubectl -n {namespace} scale deployment/instancelink --replicas=1"),
        "- if it runs in another namespace, add --operator-namespace=<namespace>",
        "- if it runs outside the cluster, add --operator-elsewhere",
        "- if it does not exist any more, remove the finalizers by hand and delete what the links created:",
        "  kubectl get il -A --no-headers -o custom-columns=:metadata.namespace,:metadata.name | while read ns name; do",
        r#"    kubectl -n $ns patch il $name --type=merge -p '{"metadata":{"finalizers":null}}'; done"#,
        "  kubectl delete services,configmaps,endpointslices -A -l app.kubernetes.io/managed-by=instancelink",
    ]
    .join("\n")
}
