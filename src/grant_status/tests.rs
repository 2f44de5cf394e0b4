use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::{Request, Response};
use instancelink_cluster::{Affected, Listener, Meter, UnusableObject};
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;

use super::*;
use crate::clock::SystemClock;
use crate::telemetry::metrics::Metrics;

struct Router(Arc<RequestedNames>);

impl Listener for Router {
    fn affected(&self, affected: Affected) {
        self.0.add(affected.grants);
    }
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

/// An API server with a policy that takes the status from each write of the grant `undone`. Such a write changes nothing, so no
/// event follows.
#[derive(Default)]
struct Data {
    writes: Mutex<BTreeMap<String, usize>>,
    version: AtomicU64,
    is_honest: AtomicBool,
}

impl Data {
    fn grant(&self, name: &str, status: &Value) -> Value {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLinkGrant",
            "metadata": {
                "namespace": "data", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string(),
                "generation": 1,
            },
            "spec": {"from": [{"namespace": "shop"}], "to": [{"kind": "Deployment", "name": "pg"}]},
            "status": status,
        })
    }

    fn client(self: &Arc<Self>, cache: &Arc<Cache>) -> Client {
        let (data, cache) = (Arc::clone(self), Arc::clone(cache));
        let serve = tower::service_fn(move |request: Request<Body>| {
            let (data, cache) = (Arc::clone(&data), Arc::clone(&cache));
            async move {
                let name = request.uri().path().split('/').nth(7).unwrap_or_default().to_owned();
                let body = request.into_body().collect_bytes().await.unwrap();
                let sent: Value = serde_json::from_slice(&body).unwrap();
                *data.writes.lock().entry(name.clone()).or_default() += 1;
                let is_undone = name == "undone" && !data.is_honest.load(Ordering::Relaxed);
                let answer = if is_undone {
                    data.grant(&name, &Value::Null)
                } else {
                    let written = data.grant(&name, &sent["status"]);
                    appears(&cache, written.clone());
                    written
                };
                Ok::<_, std::convert::Infallible>(Response::new(Body::from(serde_json::to_vec(&answer).unwrap())))
            }
        });
        Client::new(serve, "system")
    }

    fn writes(&self, name: &str) -> usize {
        self.writes.lock().get(name).copied().unwrap_or_default()
    }
}

fn appears(cache: &Cache, grant: Value) {
    cache.observe::<Grants>(Event::Apply(serde_json::from_value(grant).unwrap()));
}

/// lifecycle#disputed-conditions
#[tokio::test(start_paused = true)]
async fn a_status_that_a_policy_undoes_delays_no_other_grant_and_is_right_once_the_policy_is_gone() {
    let (data, requests) = (Arc::new(Data::default()), Arc::new(RequestedNames::default()));
    let cache = Arc::new(Cache::new(
        &["InstanceLinkGrant"],
        Arc::new(Router(Arc::clone(&requests))),
    ));
    let writer = Arc::new(GrantWriter {
        requests,
        cache: Arc::clone(&cache),
        calls: Calls::new(data.client(&cache), Arc::new(Metrics::new()) as Arc<dyn Meter>),
        leadership: Leadership::always(),
        clock: Arc::new(SystemClock),
    });
    tokio::spawn(writer.run(CancellationToken::new()));
    appears(&cache, data.grant("undone", &Value::Null));
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert!((6..=18).contains(&data.writes("undone")), "{}", data.writes("undone"));
    for name in ["zoo", "zebra"] {
        appears(&cache, data.grant(name, &Value::Null));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(data.writes(name), 1, "{name} is written at once");
    }
    data.is_honest.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(6)).await;
    let name = ObjectName::new("data", "undone");
    assert!(cache.read(|index| index.grants.get(&name).is_some_and(|grant| grant.accepted.is_some())));
    let written = data.writes("undone");
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(data.writes("undone"), written);
}
