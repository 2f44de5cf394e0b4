mod cost;
mod recreated;

use http::{Request, Response, StatusCode};
use instancelink_cluster::affects::Namespaces;
use instancelink_cluster::{Affected, Listener, Meter, Policies, Slices, UnusableObject};
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::events;
use crate::telemetry::gauges::Numbers;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

/// A slice of a link that does not exist.
fn orphan(link: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": format!("{link}-v4"), "uid": format!("{link}-uid"), "resourceVersion": "1",
            "labels": {"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": link},
            "annotations": {"instancelink.dev/link": format!("shop/{link}")},
        },
        "addressType": "IPv4",
        "endpoints": [],
    })
}

fn status(code: u16, reason: &str) -> Response<Body> {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason,
        "details": {"name": "x", "kind": "x"}});
    let body = Body::from(serde_json::to_vec(&status).unwrap());
    let code = StatusCode::from_u16(code).unwrap();
    Response::builder().status(code).body(body).unwrap()
}

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(1);

/// The requests that a server received, as `METHOD name`.
type Requests = Arc<Mutex<Vec<String>>>;

/// A policy in `data` with the marks of a link that does not exist, and with this annotation.
fn stray(number: usize, named: Option<&str>) -> Value {
    let uid = format!("forged-{number}");
    let name = instancelink_core::child::names::policy("web-db", &uid);
    let annotations = named.map(|named| json!({"instancelink.dev/link": named}));
    json!({
        "metadata": {
            "namespace": "data", "name": name, "uid": format!("{number}-uid"), "resourceVersion": "1",
            "labels": {"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": uid},
            "annotations": annotations,
        },
        "spec": {"podSelector": {}},
    })
}

/// An API server without links. The first deletion of the slice `changed-v4` is a conflict, and the slice `gone-v4` does not
/// exist. It does not answer about the link `silent`.
fn client(requests: &Requests) -> Client {
    let requests = Arc::clone(requests);
    let serve = tower::service_fn(move |request: Request<Body>| {
        let requests = Arc::clone(&requests);
        async move {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            let line = format!("{} {name}", request.method());
            let is_first = !requests.lock().contains(&line);
            requests.lock().push(line);
            tokio::time::sleep(LATENCY).await;
            Ok::<_, std::convert::Infallible>(match request.method().as_str() {
                "GET" if name == "silent" => status(500, "InternalError"),
                "GET" if name == "instancelinks" => {
                    let list = json!({"kind": "InstanceLinkList", "apiVersion": "instancelink.dev/v1alpha1",
                        "metadata": {"resourceVersion": "1"}, "items": []});
                    Response::new(Body::from(serde_json::to_vec(&list).unwrap()))
                }
                "GET" => status(404, "NotFound"),
                _ if name == "changed-v4" && is_first => status(409, "Conflict"),
                _ if name == "gone-v4" => status(404, "NotFound"),
                "DELETE" if name == "kept-v4" => status(403, "Forbidden"),
                "POST" => Response::new(Body::from(b"{}".to_vec())),
                _ => {
                    let gone = json!({"kind": "Status", "status": "Success"});
                    Response::new(Body::from(serde_json::to_vec(&gone).unwrap()))
                }
            })
        }
    });
    Client::new(serve, "system")
}

/// A sweeper whose caches have these orphans.
fn sweeper(requests: &Requests, orphans: &[&str]) -> Arc<Sweeper> {
    let cache = Arc::new(Cache::new(&["EndpointSlice"], Arc::new(NoListener)));
    for name in orphans {
        cache.observe::<Slices>(Event::Apply(serde_json::from_value(orphan(name)).unwrap()));
    }
    let metrics = Arc::new(Metrics::new());
    let calls = Calls::new(client(requests), Arc::clone(&metrics) as Arc<dyn Meter>);
    let (events, _) = events::channel(calls.clone(), &metrics, Arc::new(SystemClock), "a-pod");
    Arc::new(Sweeper {
        requests: Arc::default(),
        queue: Arc::new(Queue::new(1)),
        executor: Executor::new(calls.clone(), Arc::clone(&cache)).unrecorded(),
        cache,
        calls,
        leadership: Leadership::always(),
        events,
        metrics,
    })
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_changes_before_its_deletion_is_checked_again_alone() {
    let requests = Requests::default();
    let sweeper = sweeper(&requests, &["changed", "other"]);
    let run = tokio::time::timeout(Duration::from_millis(1_500), sweeper.run(CancellationToken::new()));
    assert!(run.await.is_err(), "it runs until it is stopped");
    // No watch removes them from the caches, so a full scan would check both again.
    let expected = [
        "GET changed",
        "DELETE changed-v4",
        "GET other",
        "DELETE other-v4",
        "GET changed",
        "DELETE changed-v4",
    ];
    assert_eq!(*requests.lock(), expected);
}

#[tokio::test(start_paused = true)]
async fn only_the_orphans_that_the_sweep_removed_are_counted() {
    let sweeper = sweeper(&Requests::default(), &["gone", "other"]);
    let metrics = Arc::clone(&sweeper.metrics);
    let run = tokio::time::timeout(Duration::from_millis(500), sweeper.run(CancellationToken::new()));
    assert!(run.await.is_err(), "it runs until it is stopped");
    let text = metrics.render(&Numbers::default());
    let counted = text.lines().find(|line| line.contains("swept_total{"));
    assert!(counted.is_some_and(|line| line.ends_with(" 1")), "{counted:?}");
}

/// contract#events, contract#metrics
#[tokio::test(start_paused = true)]
async fn a_swept_orphan_has_an_event_and_a_failed_sweep_is_counted() {
    let requests = Requests::default();
    let mut sweeper = sweeper(&requests, &["kept", "other"]);
    let shop = json!({"metadata": {"name": "shop", "uid": "shop-uid", "resourceVersion": "1"}});
    sweeper
        .cache
        .observe::<Namespaces>(Event::Apply(serde_json::from_value(shop).unwrap()));
    let metrics = Arc::clone(&sweeper.metrics);
    let (publisher, sender) = events::channel(sweeper.calls.clone(), &metrics, Arc::new(SystemClock), "a-pod");
    Arc::get_mut(&mut sweeper).unwrap().events = publisher;
    tokio::spawn(Arc::new(sender).run());
    let run = tokio::time::timeout(Duration::from_millis(500), sweeper.run(CancellationToken::new()));
    assert!(run.await.is_err(), "it runs until it is stopped");
    let events = requests.lock().iter().filter(|line| *line == "POST events").count();
    assert_eq!(events, 1, "{requests:?}");
    let text = metrics.render(&Numbers::default());
    let failures = text.lines().find(|line| line.contains("sweep_failures_total{"));
    assert_eq!(
        failures,
        Some("instancelink_sweep_failures_total{kind=\"EndpointSlice\"} 1")
    );
}

async fn sweeps_for(sweeper: Arc<Sweeper>, time: Duration) {
    let run = tokio::time::timeout(time, sweeper.run(CancellationToken::new()));
    assert!(run.await.is_err(), "it runs until it is stopped");
}

fn count(requests: &Requests, line: &str) -> usize {
    requests
        .lock()
        .iter()
        .filter(|request| request.starts_with(line))
        .count()
}
