//! Deletes all links, and prints what it waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use instancelink_api::InstanceLink;
use instancelink_core::text;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Api, Client};
use tokio::time::Instant;

use super::recreated::Recreated;
use instancelink_cluster::{Lenient, ObjectName, Stripped};

/// How much of a link's own message is shown, in characters.
const MAX_MESSAGE: usize = 300;
const POLL: Duration = Duration::from_secs(1);
/// Without progress for this time, a hint is printed.
const HINT_AFTER: Duration = Duration::from_secs(30);

/// Names of all links; none if the CRD is not installed.
pub(super) async fn all(client: &Client) -> anyhow::Result<Vec<String>> {
    let links = list(client).await?;
    Ok(links
        .iter()
        .map(|l| format!("link {}", ObjectName::of(&l.metadata)))
        .collect())
}

/// Deletes all links, also those that are created meanwhile, and waits until the operator has removed the last finalizer. An
/// error if links are created again and again.
pub(super) async fn delete_all(client: &Client, operator_namespace: &str) -> anyhow::Result<()> {
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    let mut changed = Instant::now();
    let mut recreated = Recreated::default();
    loop {
        let links = list(client).await?;
        for line in recreated.see(links.iter().map(identity_of))? {
            println!("{line}");
        }
        for link in links.iter().filter(|l| l.metadata.deletion_timestamp.is_none()) {
            delete(client, link).await?;
        }
        let now: BTreeMap<String, String> = links.iter().map(progress_of).collect();
        for (name, progress) in now
            .iter()
            .filter(|(name, progress)| shown.get(*name) != Some(*progress))
        {
            println!("waiting for {name}: {progress}");
            changed = Instant::now();
        }
        for name in shown.keys().filter(|name| !now.contains_key(*name)) {
            println!("deleted {name}");
            changed = Instant::now();
        }
        if now.is_empty() {
            return Ok(());
        }
        if changed.elapsed() > HINT_AFTER {
            println!(
                "still waiting for {} links. To see what the operator does: kubectl -n {operator_namespace} logs deployment/instancelink --tail=20",
                now.len()
            );
            changed = Instant::now();
        }
        shown = now;
        tokio::time::sleep(POLL).await;
    }
}

async fn list(client: &Client) -> anyhow::Result<Vec<InstanceLink>> {
    let api: Api<Lenient<Stripped<InstanceLink>>> = Api::all(client.clone());
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(list.items.into_iter().map(|link| link.object.object).collect()),
        // Without the CRD the API server does not know the path, and its answer is not a Status. Only the code shows it.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error).context(
            "the links cannot be listed, so nothing more was deleted. Run the command again once the cause is mended",
        ),
    }
}

async fn delete(client: &Client, link: &InstanceLink) -> anyhow::Result<()> {
    let name = ObjectName::of(&link.metadata);
    let api: Api<Lenient<Stripped<InstanceLink>>> = Api::namespaced(client.clone(), &name.namespace);
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: link.metadata.uid.clone(),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    match api.delete(&name.name, &params).await {
        Ok(_) => Ok(()),
        // It was deleted or replaced. The next list shows it.
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
        Err(error) => Err(error)
            .with_context(|| format!("link {name} cannot be deleted. Run the command again once the cause is mended")),
    }
}

fn identity_of(link: &InstanceLink) -> (String, &str) {
    let name = ObjectName::of(&link.metadata).to_string();
    (name, link.metadata.uid.as_deref().unwrap_or_default())
}

fn progress_of(link: &InstanceLink) -> (String, String) {
    let status = link.status.clone().unwrap_or_default();
    let message = status
        .transitioning_message
        .map(|m| format!(", {}", text::shown(&m, MAX_MESSAGE)))
        .unwrap_or_default();
    let name = ObjectName::of(&link.metadata).to_string();
    (name, format!("{}{message}", status.state))
}
