//! The raw writer: sends what the operator sends, as fast as the API server answers, and decides nothing.
//!
//! It learns from the operator: one source's links are activated by it, and what they became is the pattern of all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use control_plane::ControlPlane;
use e2e::Namespace;
use futures::StreamExt as _;
use http::{Method, Request};
use instancelink_api::InstanceLink;
use kube::api::{WatchEvent, WatchParams};
use kube::{Client, Resource as _};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::moments::Moments;
use crate::world::{LINKS_OF_SOURCE, Number, World};

const LEARNS: Duration = Duration::from_secs(30);

/// What the operator does for the links of one source.
pub struct Pattern {
    link: Value,
    activating: Value,
    active: Value,
    slice: Value,
    directory: Value,
    environment: Value,
    source_uid: String,
    /// How often the environment of a source is written again while its links become active.
    rewrites: usize,
}

/// Writes of the raw writer, with what it must know of each source.
pub struct Writer {
    client: Client,
    pattern: Pattern,
    sources: HashMap<String, Source>,
}

struct Source {
    uid: String,
    /// Its directory and its environment are there.
    made: OnceCell<()>,
}

impl Pattern {
    /// Lets an operator activate the links of one source of this world, and ends it.
    pub async fn learn(plane: &ControlPlane, world: &World) -> Self {
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
        let rewrites = counts.writes.get("update configmaps").copied().unwrap_or_default();
        let first = numbers[0];
        let namespace = world.namespace_of(first);
        let link = seen.in_state(&first.name(), "active");
        Self {
            activating: seen.in_state(&first.name(), "activating")["status"].clone(),
            active: link["status"].clone(),
            slice: child(
                namespace,
                "discovery.k8s.io/v1",
                "EndpointSlice",
                &format!("{}-v4", first.name()),
            )
            .await,
            directory: child(namespace, "v1", "Service", &format!("{}-links", first.source())).await,
            environment: child(namespace, "v1", "ConfigMap", &format!("{}-links", first.source())).await,
            source_uid: uid_of(namespace, &first.source()).await,
            link,
            rewrites: usize::try_from(rewrites).expect("not many"),
        }
    }
}

impl Writer {
    /// One for a world, with a client that has the operator's rights.
    pub async fn new(client: Client, pattern: Pattern, world: &World) -> Self {
        let mut sources = HashMap::new();
        for number in world.numbers().step_by(LINKS_OF_SOURCE) {
            let uid = uid_of(world.namespace_of(number), &number.source()).await;
            let made = OnceCell::new();
            sources.insert(number.source(), Source { uid, made });
        }
        Self {
            client,
            pattern,
            sources,
        }
    }

    /// What the operator writes for one link that was just made, in its order.
    pub async fn activate(&self, number: Number, made: &Value) {
        let p = &self.pattern;
        let namespace = number.namespace();
        let links = format!("{}/{}", InstanceLink::url_path(&(), Some(&namespace)), number.name());
        let version = made["metadata"]["resourceVersion"].clone();
        let answer = self
            .patch(
                &format!("{links}/status"),
                &self.status(number, made, &p.activating, &version),
            )
            .await;
        let core = format!("/api/v1/namespaces/{namespace}");
        let environment = self.fitted(number, made, &p.environment);
        let make_shared = async || {
            let directory = self.fitted(number, made, &p.directory);
            self.send(Method::POST, &format!("{core}/services"), &directory).await;
            self.send(Method::POST, &format!("{core}/configmaps"), &environment)
                .await;
        };
        self.sources[&number.source()].made.get_or_init(make_shared).await;
        let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        self.send(Method::POST, &slices, &self.fitted(number, made, &p.slice))
            .await;
        if (1..=p.rewrites).contains(&(number.0 % LINKS_OF_SOURCE)) {
            let path = format!("{core}/configmaps/{}-links", number.source());
            // An API server does not write what changes nothing.
            let mut environment = environment;
            environment["data"]["LAST"] = number.alias().into();
            self.send(Method::PUT, &path, &environment).await;
        }
        let version = answer["metadata"]["resourceVersion"].clone();
        self.patch(
            &format!("{links}/status"),
            &self.status(number, made, &p.active, &version),
        )
        .await;
    }

    fn status(&self, number: Number, made: &Value, status: &Value, version: &Value) -> Value {
        let mut patch = json!({ "status": self.fitted(number, made, status) });
        patch["metadata"] = json!({ "uid": made["metadata"]["uid"], "resourceVersion": version });
        patch
    }

    /// The same of another link: other names and UIDs.
    fn fitted(&self, number: Number, made: &Value, of: &Value) -> Value {
        let first = Number(0);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let uid = |link: &Value| text(&link["metadata"]["uid"]);
        let replaced = of
            .to_string()
            .replace(&first.namespace(), &number.namespace())
            .replace(&first.name(), &number.name())
            .replace(&first.source(), &number.source())
            .replace(&first.alias(), &number.alias())
            .replace(&uid(&self.pattern.link), &uid(made))
            .replace(&self.pattern.source_uid, &self.sources[&number.source()].uid);
        serde_json::from_str(&replaced).expect("it was JSON before")
    }

    async fn patch(&self, path: &str, body: &Value) -> Value {
        self.send(Method::PATCH, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let kind = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.body(body.to_string().into_bytes()).expect("a request");
        let answer = self.client.request_text(request).await;
        let answer = answer.unwrap_or_else(|e| panic!("{path}: {e}\n{body}"));
        serde_json::from_str(&answer).expect("JSON")
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

/// An object as whoever creates it would send it.
async fn child(namespace: &Namespace, api_version: &str, kind: &str, name: &str) -> Value {
    let object = e2e::Object::named(&namespace.client, &namespace.name, api_version, kind, name);
    let found = object
        .find()
        .await
        .unwrap_or_else(|| panic!("there is no {kind} {name}"));
    let mut value = serde_json::to_value(found).expect("an object");
    let metadata = value["metadata"].as_object_mut().expect("an object");
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
    ] {
        metadata.remove(field);
    }
    value.as_object_mut().expect("an object").remove("status");
    value
}

async fn uid_of(namespace: &Namespace, source: &str) -> String {
    let source = e2e::Object::named(&namespace.client, &namespace.name, "apps/v1", "Deployment", source);
    source.find().await.and_then(|o| o.metadata.uid).expect("a source")
}
