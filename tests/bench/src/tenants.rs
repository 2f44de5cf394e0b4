//! Namespaces of independent users: a target, and sources for the links that the users create.

use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use futures::{StreamExt as _, stream};
use harness::{Namespace, idle_deployment, link};
use instancelink_api::{InstanceLink, keys};
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::sync::oneshot;

use crate::pace::ticks;
use crate::world::{AT_ONCE, make_pod, make_service};

/// A namespace with a target and this number of sources. This client creates its links.
pub async fn make_town(plane: &ControlPlane, name: &str, sources: usize, client: &Client) -> Namespace {
    let town = plane.empty_namespace(name.to_owned()).await;
    make_service(&town, "db").await;
    make_pod(&town, "db-0", "db", "10.1.0.1").await;
    let making = (0..sources).map(|source| {
        let town = &town;
        async move {
            town.create_object(&idle_deployment(&format!("source-{source}"))).await;
        }
    });
    stream::iter(making)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
    Namespace {
        client: client.clone(),
        ..town
    }
}

/// Creates a link of one of its sources, `alias-<alias>`.
pub async fn make_link(town: &Namespace, name: &str, source: usize, alias: usize) {
    let (source, alias) = (format!("Deployment/source-{source}"), format!("alias-{alias}"));
    town.create_object(&link(name, &alias, &source, "Service/db").into_value())
        .await;
}

/// Requests an action on one link after the other until it is stopped. Returns how many the API server accepted, and
/// the time.
pub async fn act(
    town: &Namespace,
    name: impl Fn(usize) -> String,
    links: usize,
    a_second: u32,
    stopped: oneshot::Receiver<()>,
) -> (usize, Duration) {
    let (api, started) = (town.api::<InstanceLink>(), Instant::now());
    if a_second == 0 {
        let _ = stopped.await;
        return (0, started.elapsed());
    }
    let acts = ticks(a_second).take_until(stopped).map(|count| {
        let (api, name) = (&api, name(count % links));
        let verb = ["deactivate", "activate"][count / links % 2];
        let patch = json!({ "metadata": { "annotations": { keys::ACTION: format!("{verb}/{count}") } } });
        async move {
            let patched = api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await;
            usize::from(patched.is_ok())
        }
    });
    let acts = acts.buffer_unordered(AT_ONCE);
    let taken = acts.fold(0, async |sum, taken| sum + taken).await;
    (taken, started.elapsed())
}
