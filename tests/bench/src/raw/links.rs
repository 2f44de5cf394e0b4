//! The process of the raw writer that writes links. It watches like the operator, but reads only the name, UID and
//! version of an object.

use std::collections::HashMap;
use std::path::Path;

use futures::future::join_all;
use futures::{StreamExt as _, stream};
use http::{Method, Request};
use instancelink_api::{InstanceLink, State, keys};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::pattern::Pattern;
use crate::bare::READY;
use crate::world::{AT_ONCE, LINKS_OF_SOURCE, Number};

/// The fields of an object that are read.
#[derive(Clone, Deserialize)]
struct Seen {
    metadata: Metadata,
    status: Option<Status>,
}

#[derive(Clone, Deserialize)]
struct Status {
    /// Only links have it.
    state: Option<State>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    uid: String,
    resource_version: String,
}

struct Writer {
    client: Client,
    pattern: Pattern,
    sources: HashMap<String, Source>,
}

struct Source {
    uid: String,
    /// Whether its directory and its environment exist.
    made: OnceCell<()>,
}

/// Activates each new link until it is stopped.
pub async fn run(pattern: &Path) {
    let text = std::fs::read_to_string(pattern).expect("a pattern");
    let pattern = serde_json::from_str(&text).expect("a pattern");
    let client = Client::try_default()
        .await
        .expect("KUBECONFIG says where the API server is");
    let all = Api::<Deployment>::all(client.clone());
    let sources = all.list_metadata(&ListParams::default()).await.expect("the sources");
    let sources = sources.into_iter().map(|source| {
        let uid = source.uid().expect("a UID");
        let made = OnceCell::new();
        (source.name_any(), Source { uid, made })
    });
    let writer = Writer {
        client: client.clone(),
        pattern,
        sources: sources.collect(),
    };
    let all = WatchParams::default();
    let ours = all.clone().labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER));
    let (links, due) = unbounded_channel();
    // The events of its own children are not used.
    let echoes = unbounded_channel().0;
    let watches = [
        follow(client.clone(), path::<InstanceLink>(), all.clone(), links),
        follow(client.clone(), path::<EndpointSlice>(), ours.clone(), echoes.clone()),
        follow(client.clone(), path::<ConfigMap>(), ours, echoes.clone()),
        follow(client.clone(), path::<Service>(), all, echoes),
    ];
    let due = stream::unfold(due, async |mut due| due.recv().await.map(|link| (link, due)));
    let activations = due.for_each_concurrent(AT_ONCE, |link: Seen| writer.activate(link.metadata));
    println!("{READY}");
    tokio::join!(join_all(watches.map(tokio::spawn)), activations);
}

fn path<K: Resource<DynamicType = ()>>() -> String {
    K::url_path(&(), None)
}

/// Sends each new link for which nothing was written yet.
async fn follow(client: Client, path: String, params: WatchParams, came: UnboundedSender<Seen>) {
    let mut version = "0".to_owned();
    // The API server ends a watch that is too slow.
    loop {
        let request = kube::core::Request::new(path.clone()).watch(&params, &version);
        let request = request.expect("a request");
        let events = client.request_events::<Seen>(request).await.expect("a watch");
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            let (WatchEvent::Added(object) | WatchEvent::Modified(object)) = event.expect("an event") else {
                continue;
            };
            version.clone_from(&object.metadata.resource_version);
            let state = object.status.as_ref().and_then(|status| status.state);
            if state == Some(State::Requested) {
                // The events of its own children are not used.
                let _ = came.send(object);
            }
        }
    }
}

impl Writer {
    /// The writes of the operator for one link, in order.
    async fn activate(&self, link: Metadata) {
        let p = &self.pattern;
        let number = Number::of(&link.name).expect("a link of this world");
        let source = &self.sources[&number.source()];
        let fitted = |of: &str| p.fitted(of, number, &link.uid, &source.uid);
        let namespace = number.namespace();
        let status_path = format!("{}/{}/status", InstanceLink::url_path(&(), Some(&namespace)), link.name);
        let core = format!("/api/v1/namespaces/{namespace}");
        let status = |status: &str, version: &str| {
            let (uid, status) = (&link.uid, fitted(status));
            format!(r#"{{"metadata":{{"uid":"{uid}","resourceVersion":"{version}"}},"status":{status}}}"#)
        };
        let activating = status(&p.activating, &link.resource_version);
        let answer = self.send(Method::PATCH, &status_path, activating).await;
        let answer: Seen = serde_json::from_str(&answer).expect("a link");
        let make_shared = async || {
            self.send(Method::POST, &format!("{core}/services"), fitted(&p.directory))
                .await;
            self.send(Method::POST, &format!("{core}/configmaps"), fitted(&p.environment))
                .await;
        };
        source.made.get_or_init(make_shared).await;
        let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        self.send(Method::POST, &slices, fitted(&p.slice)).await;
        if (1..=p.rewrites).contains(&(number.0 % LINKS_OF_SOURCE)) {
            let path = format!("{core}/configmaps/{}-links", number.source());
            self.send(Method::PUT, &path, fitted(&p.environment)).await;
        }
        let active = status(&p.active, &answer.metadata.resource_version);
        self.send(Method::PATCH, &status_path, active).await;
    }

    async fn send(&self, method: Method, path: &str, body: String) -> String {
        let kind = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.body(body.into_bytes()).expect("a request");
        let answer = self.client.request_text(request).await;
        answer.unwrap_or_else(|e| panic!("{path}: {e}"))
    }
}
