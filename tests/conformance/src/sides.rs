//! The two API servers, and the namespaces in which scenarios run.

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::resource::{LINKS, NODES};
use instancelink_testkit::api::store::Store;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::api::{Api, collector, service};
use jiff::Timestamp;
use kube::client::Client;
use serde_json::json;

use crate::play::{self, Played};
use crate::scenario::{Scenario, Verb};
use crate::wire;

/// A double with its control plane for one scenario. Needs a tokio runtime.
pub fn double() -> Client {
    let api = Arc::new(Api::default());
    api.change(forgotten);
    tokio::spawn(collector::run(Arc::clone(&api), Duration::from_millis(20)));
    service::undisturbed(&api, "conformance")
}

/// Creates an object and compacts it, so that no server has its first versions any more.
fn forgotten(store: &mut Store, now: Timestamp) {
    let writer = Writer { by: "etcd", now };
    for name in ["first", "second", "third"] {
        let node = json!({"metadata": {"name": name}});
        write::create(store, &NODES, "", node, writer).unwrap();
    }
    store.compact();
}

/// The API server of KUBECONFIG, when the policies of `deploy/` are in force there.
pub async fn real() -> Client {
    let client = Client::try_default()
        .await
        .expect("KUBECONFIG names a cluster: `cargo xtask conformance` starts one");
    let reference = json!({"kind": "Pod", "name": "nobody"});
    let link = json!({
        "apiVersion": LINKS.api_version(), "kind": LINKS.kind,
        "metadata": {"name": "may-i"}, "spec": {"linkName": "may-i", "instanceRef": reference},
    });
    let path = format!("{}?dryRun=All", wire::path(LINKS.plural, "default"));
    let mut answer = None;
    for _ in 0..60 {
        let answered = wire::send(&client, wire::request(Verb::Post, &path, Some(&link))).await;
        if answered
            .as_ref()
            .is_ok_and(|a| !a.body["metadata"]["finalizers"].is_null())
        {
            return client;
        }
        answer = Some(answered);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("deploy/ is not in force: a new link is answered with {answer:?}");
}

/// Runs a scenario in new namespaces, and starts their deletion afterwards.
pub async fn play(client: &Client, scenario: &Scenario, namespace: &str) -> Result<Played, String> {
    let namespaces = play::namespaces(scenario, namespace);
    for name in &namespaces {
        let object = json!({"metadata": {"name": name}});
        let request = wire::request(Verb::Post, "/api/v1/namespaces", Some(&object));
        let answer = wire::send(client, request).await?;
        if answer.code != 201 {
            return Err(format!("no namespace: {}", answer.body));
        }
        // Pods need a service account. The control plane creates it too, a moment later. The double needs none.
        let account = json!({"metadata": {"name": "default"}});
        let path = format!("/api/v1/namespaces/{name}/serviceaccounts");
        let _ = wire::send(client, wire::request(Verb::Post, &path, Some(&account))).await;
    }
    let played = play::play(client, scenario, namespace).await;
    for name in &namespaces {
        let path = format!("/api/v1/namespaces/{name}");
        let _ = wire::send(client, wire::request(Verb::Delete, &path, None)).await;
    }
    played
}
