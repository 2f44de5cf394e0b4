//! Another client changes readiness gates back after each write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// The pods of one namespace, and how often each was written.
#[derive(Default)]
struct Written {
    conditions: BTreeMap<String, BTreeMap<String, Value>>,
    writes: BTreeMap<String, usize>,
}

/// The types of conditions that the other client removes from a pod after a write of these types.
type Undo = fn(pod: &str, written: &[String]) -> Vec<String>;

struct Shop {
    pods: Mutex<Written>,
    version: AtomicU64,
    gates: &'static [&'static str],
    undo: Undo,
    refuses_a: bool,
}

struct Router(Arc<RequestedNames>);

impl Listener for Router {
    fn affected(&self, affected: Affected) {
        self.0.add(affected.gated);
    }
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

impl Shop {
    fn pod(&self, name: &str) -> Value {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        let gates = self.gates.iter().map(|gate| json!({ "conditionType": gate }));
        let pods = self.pods.lock();
        let conditions: Vec<&Value> = pods
            .conditions
            .get(name)
            .into_iter()
            .flatten()
            .map(|(_, c)| c)
            .collect();
        json!({
            "metadata": {"namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string()},
            "spec": {"readinessGates": gates.collect::<Vec<_>>(), "containers": []},
            "status": { "conditions": conditions },
        })
    }

    /// Takes a patch. Returns the types of the conditions in it.
    fn patched(&self, name: &str, patch: &Value) -> Vec<String> {
        let mut pods = self.pods.lock();
        *pods.writes.entry(name.to_owned()).or_default() += 1;
        let conditions = pods.conditions.entry(name.to_owned()).or_default();
        let sent = patch["status"]["conditions"].as_array().unwrap();
        let types = sent.iter().map(|condition| {
            let type_ = condition["type"].as_str().unwrap().to_owned();
            conditions.insert(type_.clone(), condition.clone());
            type_
        });
        types.collect()
    }

    fn client(self: &Arc<Self>, cache: &Arc<Cache>) -> Client {
        let (shop, cache) = (Arc::clone(self), Arc::clone(cache));
        let serve = tower::service_fn(move |request: Request<Body>| {
            let (shop, cache) = (Arc::clone(&shop), Arc::clone(&cache));
            async move {
                let name = request.uri().path().split('/').nth(6).unwrap_or_default().to_owned();
                let body = request.into_body().collect_bytes().await.unwrap();
                let written = shop.patched(&name, &serde_json::from_slice(&body).unwrap());
                if name == "a" && shop.refuses_a {
                    let status = json!({
                        "kind": "Status", "status": "Failure", "code": 422, "reason": "Invalid", "message": "denied by a policy",
                        "details": { "name": name, "kind": "pods" },
                    });
                    let answer = Response::builder().status(422);
                    return Ok(answer.body(Body::from(serde_json::to_vec(&status).unwrap())).unwrap());
                }
                let answer = shop.pod(&name);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    for type_ in (shop.undo)(&name, &written) {
                        shop.pods.lock().conditions.get_mut(&name).unwrap().remove(&type_);
                    }
                    shop.appears(&name, &cache);
                });
                Ok::<_, std::convert::Infallible>(Response::new(Body::from(serde_json::to_vec(&answer).unwrap())))
            }
        });
        Client::new(serve, "system")
    }

    fn appears(&self, name: &str, cache: &Cache) {
        let pod = serde_json::from_value(self.pod(name)).unwrap();
        cache.observe::<Pods>(Event::Apply(pod));
    }

    fn writes(&self, name: &str) -> usize {
        self.pods.lock().writes.get(name).copied().unwrap_or_default()
    }
}

/// Runs a writer over pods of one namespace.
fn run(gates: &'static [&'static str], pods: &[&str], undo: Undo) -> (Arc<Shop>, Arc<Cache>) {
    run_with(gates, pods, undo, false)
}

fn run_with(gates: &'static [&'static str], pods: &[&str], undo: Undo, refuses_a: bool) -> (Arc<Shop>, Arc<Cache>) {
    let requests = Arc::new(RequestedNames::default());
    let cache = Arc::new(Cache::new(&["Pod"], Arc::new(Router(Arc::clone(&requests)))));
    let shop = Arc::new(Shop {
        pods: Mutex::default(),
        version: AtomicU64::default(),
        gates,
        undo,
        refuses_a,
    });
    for pod in pods {
        shop.appears(pod, &cache);
    }
    let metrics = Arc::new(Metrics::new());
    let calls = Calls::new(shop.client(&cache), Arc::clone(&metrics) as Arc<dyn Meter>);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (publisher, _sender) = events::channel(calls.clone(), &metrics, Arc::clone(&clock), "test");
    let writer = Arc::new(GateWriter {
        requests,
        cache: Arc::clone(&cache),
        calls,
        events: publisher,
        leadership: Leadership::always(),
        link_writes: Arc::default(),
        clock,
        account: Account::default(),
    });
    tokio::spawn(writer.run(CancellationToken::new()));
    (shop, cache)
}

fn undoes_a(pod: &str, written: &[String]) -> Vec<String> {
    if pod == "a" { written.to_vec() } else { Vec::new() }
}

/// lifecycle#disputed-conditions
#[tokio::test(start_paused = true)]
async fn a_gate_that_is_changed_back_again_and_again_delays_no_other_pod() {
    let (shop, cache) = run(&["instancelink.dev/db"], &["a", "b"], undoes_a);
    tokio::time::sleep(Duration::from_mins(30)).await;
    for name in ["c", "d", "e"] {
        shop.appears(name, &cache);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(shop.writes(name), 1, "{name} is written at once");
    }
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert!((12..=30).contains(&shop.writes("a")), "{}", shop.writes("a"));
    assert_eq!(shop.writes("b"), 1);
}

fn undoes_nothing(_: &str, _: &[String]) -> Vec<String> {
    Vec::new()
}

/// lifecycle#disputed-conditions
#[tokio::test(start_paused = true)]
async fn a_gate_that_a_policy_refuses_delays_no_other_pod() {
    let (shop, cache) = run_with(&["instancelink.dev/db"], &["a", "b"], undoes_nothing, true);
    tokio::time::sleep(Duration::from_mins(30)).await;
    shop.appears("c", &cache);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((shop.writes("b"), shop.writes("c")), (1, 1));
    assert!((10..=20).contains(&shop.writes("a")), "{}", shop.writes("a"));
}

/// Removes the gate that was not written, or one of them.
fn undoes_the_other(_: &str, written: &[String]) -> Vec<String> {
    let other = match written {
        [only] if only == "instancelink.dev/db" => "instancelink.dev/mq",
        _ => "instancelink.dev/db",
    };
    vec![other.to_owned()]
}

/// lifecycle#disputed-conditions
#[tokio::test(start_paused = true)]
async fn gates_of_a_pod_that_are_changed_back_in_turn_are_written_with_growing_pauses() {
    let (shop, _cache) = run(
        &["instancelink.dev/db", "instancelink.dev/mq"],
        &["a"],
        undoes_the_other,
    );
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert!((6..=18).contains(&shop.writes("a")), "{}", shop.writes("a"));
}

fn undoes_all(_: &str, written: &[String]) -> Vec<String> {
    written.to_vec()
}

/// lifecycle#disputed-conditions
#[tokio::test(start_paused = true)]
async fn gates_of_many_pods_that_are_changed_back_cost_a_few_writes_a_minute() {
    let names: Vec<String> = (0..100).map(|number| format!("web-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (shop, _cache) = run(&["instancelink.dev/db"], &names, undoes_all);
    let all = || names.iter().map(|name| shop.writes(name)).sum::<usize>();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let before = all();
    tokio::time::sleep(Duration::from_mins(30)).await;
    let late = all() - before;
    assert!((30..=30 * 5).contains(&late), "{late} in thirty minutes");
}
