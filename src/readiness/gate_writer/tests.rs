mod undone;

use http::{Request, Response};
use instancelink_cluster::{Affected, Listener, Meter, UnusableObject};
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::events;
use crate::telemetry::metrics::Metrics;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

fn pod(namespace: &str) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": "web", "uid": format!("{namespace}-uid"), "resourceVersion": "1"},
        "spec": {"readinessGates": [{"conditionType": "instancelink.dev/db"}], "containers": []},
        "status": {},
    })
}

/// An API server that never answers requests to the namespaces `stalled-*`. It notes the paths of the others.
fn client(written: &Arc<Mutex<Vec<String>>>) -> Client {
    let written = Arc::clone(written);
    let serve = tower::service_fn(move |request: Request<Body>| {
        let written = Arc::clone(&written);
        async move {
            let path = request.uri().path().to_owned();
            if path.contains("/stalled-") {
                std::future::pending::<()>().await;
            }
            let namespace = path.split('/').nth(4).unwrap_or_default().to_owned();
            written.lock().push(namespace.clone());
            let body = Body::from(serde_json::to_vec(&pod(&namespace)).unwrap());
            Ok::<_, std::convert::Infallible>(Response::new(body))
        }
    });
    Client::new(serve, "system")
}

#[tokio::test(start_paused = true)]
async fn a_namespace_in_which_requests_time_out_does_not_delay_the_others() {
    let cache = Arc::new(Cache::new(&["Pod"], Arc::new(NoListener)));
    for namespace in ["stalled-1", "stalled-2", "web-shop"] {
        cache.observe::<Pods>(Event::Apply(serde_json::from_value(pod(namespace)).unwrap()));
    }
    let written = Arc::default();
    let metrics = Arc::new(Metrics::new());
    let calls = Calls::new(client(&written), Arc::clone(&metrics) as Arc<dyn Meter>);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (publisher, _sender) = events::channel(calls.clone(), &metrics, Arc::clone(&clock), "test");
    let writer = Arc::new(GateWriter {
        requests: Arc::default(),
        cache,
        calls,
        events: publisher,
        leadership: Leadership::always(),
        link_writes: Arc::default(),
        clock,
        account: Account::default(),
    });
    let run = tokio::time::timeout(Duration::from_secs(1), writer.run(CancellationToken::new()));
    assert!(run.await.is_err(), "it runs until it is stopped");
    assert!(
        written.lock().contains(&"web-shop".to_owned()),
        "served within a second: {:?}",
        written.lock()
    );
}
