//! The writes of the operator for the links of one source.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use control_plane::ControlPlane;
use futures::StreamExt as _;
use harness::Namespace;
use instancelink_api::InstanceLink;
use kube::api::{WatchEvent, WatchParams};
use kube::{Client, Resource as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::moments::Moments;
use crate::world::{LINKS_OF_SOURCE, Number, World};

const LEARNS: Duration = Duration::from_secs(30);

/// The writes for the first link, as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Pattern {
    link_uid: String,
    source_uid: String,
    pub(super) activating: String,
    pub(super) active: String,
    pub(super) slice: String,
    pub(super) directory: String,
    pub(super) environment: String,
    /// How often the environment of a source is updated while its links become active.
    pub(super) rewrites: usize,
}

impl Pattern {
    /// Lets an operator activate the links of one source, records its writes, and stops it.
    pub(super) async fn learn(plane: &ControlPlane, world: &World) -> Self {
        let mut audit = Audit::start(plane);
        let seen = Seen::of(plane.client.clone());
        let moments = Moments::of(plane.client.clone(), "active");
        let mut operator = Contestant::Operator.start(plane).await.expect("a process");
        let numbers: Vec<Number> = world.numbers().take(LINKS_OF_SOURCE).collect();
        for number in &numbers {
            world.namespace_of(*number).create_object(&number.manifest()).await;
        }
        moments.all(numbers.len(), LEARNS).await;
        operator.stop(LEARNS).await;
        let counts = audit.take();
        let rewrites = counts.writes.get("patch configmaps").copied().unwrap_or_default();
        let first = numbers[0];
        let [name, source] = [first.name(), first.source()];
        let shared = format!("{source}-links");
        let child = async |api_version, kind, name: &str| {
            let child = find(world.namespace_of(first), api_version, kind, name).await;
            as_sent(child)
        };
        let mut environment = child("v1", "ConfigMap", &shared).await;
        // The API server skips a write that changes nothing, so this differs from one link to the next.
        environment["data"]["LAST"] = first.alias().into();
        let link = seen.in_state(&name, "active");
        let source = find(world.namespace_of(first), "apps/v1", "Deployment", &source).await;
        Self {
            link_uid: uid_of(&link),
            source_uid: uid_of(&source),
            activating: seen.in_state(&name, "activating")["status"].to_string(),
            active: link["status"].to_string(),
            slice: child("discovery.k8s.io/v1", "EndpointSlice", &format!("{name}-v4"))
                .await
                .to_string(),
            directory: child("v1", "Service", &shared).await.to_string(),
            environment: environment.to_string(),
            rewrites: usize::try_from(rewrites).expect("not many"),
        }
    }

    /// The same for another link, with other names and UIDs.
    pub(super) fn fitted(&self, of: &str, number: Number, uid: &str, source_uid: &str) -> String {
        let first = Number(0);
        of.replace(&first.namespace(), &number.namespace())
            .replace(&first.name(), &number.name())
            .replace(&first.source(), &number.source())
            .replace(&first.alias(), &number.alias())
            .replace(&self.link_uid, uid)
            .replace(&self.source_uid, source_uid)
    }
}

/// Every version of every link.
struct Seen {
    versions: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Seen {
    fn of(client: Client) -> Self {
        let versions: Arc<Mutex<Vec<Value>>> = Arc::default();
        let sink = Arc::clone(&versions);
        let task = tokio::spawn(async move {
            let request = kube::core::Request::new(InstanceLink::url_path(&(), None));
            let request = request
                .watch(&WatchParams::default().disable_bookmarks(), "0")
                .expect("a request");
            let events = client.request_events::<Value>(request).await.expect("a watch");
            let mut events = std::pin::pin!(events);
            while let Ok(Some(Ok(event))) = timeout(LEARNS, events.next()).await {
                if let WatchEvent::Added(link) | WatchEvent::Modified(link) = event {
                    sink.lock().expect("no panic while held").push(link);
                }
            }
        });
        Self { versions, task }
    }

    fn in_state(&self, name: &str, state: &str) -> Value {
        let versions = self.versions.lock().expect("no panic while held");
        let found = versions
            .iter()
            .find(|link| link["metadata"]["name"] == name && link["status"]["state"] == state);
        found.unwrap_or_else(|| panic!("{name} was never {state}")).clone()
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn find(namespace: &Namespace, api_version: &str, kind: &str, name: &str) -> Value {
    let object = harness::Object::named(&namespace.client, &namespace.name, api_version, kind, name);
    let found = object.find().await;
    let found = found.unwrap_or_else(|| panic!("there is no {kind} {name}"));
    serde_json::to_value(found).expect("an object")
}

/// An object as a client sends it in a creation.
fn as_sent(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("an object");
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
    ] {
        metadata.remove(field);
    }
    object.as_object_mut().expect("an object").remove("status");
    object
}

fn uid_of(object: &Value) -> String {
    object["metadata"]["uid"].as_str().expect("a UID").to_owned()
}
