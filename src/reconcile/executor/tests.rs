use std::collections::BTreeMap;

use http::{Request, Response, StatusCode};
use instancelink_cluster::{Affected, Listener, SourceKey, UnusableObject};
use instancelink_core::child::{ChildSpec, Environment};
use kube::Client;
use kube::client::Body;
use serde_json::json;

use super::*;
use crate::telemetry::metrics::Metrics;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

/// An executor whose API server answers each request with this code.
fn executor(code: StatusCode) -> Executor {
    let serve = tower::service_fn(move |_: Request<Body>| async move {
        let status = json!({"kind": "Status", "status": "Failure", "code": code.as_u16(), "message": "no",
            "reason": "x", "details": {"name": "web-links", "kind": "configmaps"}});
        let body = Body::from(serde_json::to_vec(&status).unwrap());
        Response::builder().status(code).body(body)
    });
    let calls = Calls::new(Client::new(serve, "system"), Arc::new(Metrics::new()));
    Executor::new(calls, Arc::new(Cache::new(&[], Arc::new(NoListener))))
}

/// The environment of a source.
fn environment(source: &str) -> DesiredChild {
    DesiredChild::Environment(ChildSpec {
        namespace: "shop".to_owned(),
        name: format!("{source}-links"),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        owners: Vec::new(),
        body: Environment::default(),
    })
}

fn source(name: &str) -> SourceKey {
    ("shop".into(), name.to_owned())
}

/// An environment with an unconfirmed write, and its source.
fn unconfirmed(executor: &Executor) -> (SourceKey, Key) {
    let (source, child) = (source("web"), environment("web"));
    let key = child.key();
    executor.unconfirmed.add(source.clone(), child);
    (source, key)
}

#[tokio::test]
async fn a_forbidden_read_confirms_nothing() {
    let executor = executor(StatusCode::FORBIDDEN);
    let (source, key) = unconfirmed(&executor);
    let answer = executor.confirm(&source, &key).await;
    assert!(matches!(answer, Err(CallError::Forbidden(_))), "{answer:?}");
    assert!(
        !executor.unconfirmed.is_empty(),
        "whether it was written is still unknown"
    );
}

#[tokio::test]
async fn a_child_that_does_not_exist_confirms_that_it_was_not_written() {
    let executor = executor(StatusCode::NOT_FOUND);
    let (source, key) = unconfirmed(&executor);
    executor.confirm(&source, &key).await.unwrap();
    assert!(executor.unconfirmed.is_empty());
}

#[test]
fn the_unconfirmed_writes_of_a_source_without_links_are_forgotten() {
    let writes = UnconfirmedWrites::default();
    for name in ["web", "api"] {
        writes.add(source(name), environment(name));
    }
    writes.retain_sources(|(_, name)| name == "api");
    assert!(writes.of(&source("web")).is_empty());
    assert_eq!(writes.of(&source("api")).len(), 1);
}
