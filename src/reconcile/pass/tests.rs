use std::collections::BTreeMap;

use http::{Request, Response, StatusCode};
use instancelink_cluster::{Affected, Calls, Links, Listener, Meter};
use instancelink_core::child::{Binding, ChildSpec, DesiredChild};
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::events;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
}

/// Passes over one link, at an API server that answers each request with 403.
fn context() -> PassContext {
    let serve = tower::service_fn(|_: Request<Body>| async move {
        let status =
            json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"});
        let body = Body::from(serde_json::to_vec(&status).unwrap());
        Response::builder().status(StatusCode::FORBIDDEN).body(body)
    });
    let metrics = Arc::new(Metrics::new());
    let calls = Calls::new(Client::new(serve, "system"), Arc::clone(&metrics) as Arc<dyn Meter>);
    let cache = Arc::new(Cache::new(&["InstanceLink"], Arc::new(NoListener)));
    let link = json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
        "metadata": {"namespace": "shop", "name": "web-db", "uid": "u", "resourceVersion": "1"},
        "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": "web"}},
        "status": {"state": "inactive"},
    });
    cache.observe::<Links>(Event::Apply(serde_json::from_value(link).unwrap()));
    let queue = Arc::new(Queue::new(1));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (events, _) = events::channel(calls.clone(), &metrics, Arc::clone(&clock), "a-pod");
    let verifier = Verifier::new(
        None,
        Arc::clone(&cache),
        Arc::clone(&queue),
        Arc::clone(&clock),
        "cluster.local",
    );
    PassContext {
        executor: Executor::new(calls, Arc::clone(&cache)),
        batches: Batches::default(),
        cache,
        queue,
        events,
        leadership: Leadership::always(),
        clock,
        metrics,
        cluster_domain: "cluster.local".to_owned(),
        account: Account::default(),
        verifier: Arc::new(verifier),
    }
}

/// The answer of a pass that may not read a Secret whose creation had no answer, and whether the creation is forgotten. The
/// snapshot is changed before.
async fn asked(change: impl FnOnce(&mut Snapshot)) -> (Result<bool, CallError>, bool) {
    let context = context();
    let source: SourceKey = ("shop".into(), "web".to_owned());
    let secret = DesiredChild::Binding(ChildSpec {
        namespace: "shop".to_owned(),
        name: "web-db-binding".to_owned(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        owners: Vec::new(),
        body: Binding {
            type_: "servicebinding.io/postgresql".to_owned(),
            data: BTreeMap::new(),
            immutable: false,
        },
    });
    context.executor.unconfirmed.add(source.clone(), secret);
    let turn = Turn {
        key: LinkKey::new("shop", "web-db"),
        waited: Duration::ZERO,
        endpoints_since: None,
        source: Some(source),
        yielded: false,
        others_yielded: false,
    };
    let pass = Pass {
        context: &context,
        turn: &turn,
        collisions: Collisions::default(),
        repairs: Repairs::default(),
        endpoints_since: None,
    };
    let mut snapshot = pass.observe().unwrap();
    change(&mut snapshot);
    let answer = pass.ask(&snapshot, &decide(&snapshot)).await;
    (answer, context.executor.unconfirmed.is_empty())
}

#[tokio::test]
async fn the_links_of_a_deleted_namespace_do_not_wait_for_a_child_that_the_operator_may_no_longer_read() {
    let (answer, forgotten) = asked(|s| s.namespace.terminating = true).await;
    assert!(matches!(answer, Ok(true)), "{answer:?}");
    assert!(forgotten);
}

#[tokio::test]
async fn the_links_of_a_source_do_not_wait_for_a_secret_after_the_right_to_secrets_was_withdrawn() {
    let (answer, forgotten) = asked(|s| s.secrets = Secrets::Forbidden).await;
    assert!(matches!(answer, Ok(true)), "{answer:?}");
    assert!(forgotten);
}

#[tokio::test]
async fn a_pass_is_repeated_while_an_api_server_that_starts_refuses_the_read_of_an_unconfirmed_child() {
    let (answer, forgotten) = asked(|_| {}).await;
    assert!(matches!(answer, Err(CallError::Forbidden(_))), "{answer:?}");
    assert!(!forgotten);
}
