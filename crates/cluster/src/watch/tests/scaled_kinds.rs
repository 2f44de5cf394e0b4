//! Watches of kinds that links name, against an API server that serves them, or does not, or refuses to show them.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use instancelink_core::snapshot::{ApiKind, Unlisted};
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::sync::watch::Sender;
use tokio::time::{sleep, timeout};

use super::super::named_kinds;
use super::super::retry_intervals::RetryIntervals;
use super::*;
use crate::calls::Calls;

/// What the API server does now.
#[derive(Clone, Debug)]
struct Served {
    /// Statuses of discovery, of lists and of scales.
    discovery: u16,
    list: u16,
    scale: u16,
    resources: Vec<&'static str>,
    selector: &'static str,
    freshness: &'static str,
    widgets: Vec<Value>,
}

fn widgets(widgets: Vec<Value>) -> Served {
    Served {
        discovery: 200,
        list: 200,
        scale: 200,
        resources: vec!["widgets", "widgets/scale"],
        selector: "app=pg",
        freshness: "Current",
        widgets,
    }
}

fn widget(version: u64, status: &Value) -> Value {
    let mut meta = meta("pg", version);
    meta["generation"] = json!(1);
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": meta, "status": status})
}

#[derive(Clone)]
struct Server {
    served: Arc<Sender<Served>>,
    scales: Arc<AtomicUsize>,
    discoveries: Arc<AtomicUsize>,
}

async fn answer(State(api): State<Server>, uri: Uri) -> Response {
    let served = api.served.borrow().clone();
    if uri.path() == "/apis" {
        api.discoveries.fetch_add(1, Ordering::SeqCst);
        return discovery(&served);
    }
    let path = uri.path().strip_prefix("/apis/example.com/v1").unwrap_or("?");
    match path {
        "/widgets" if served.list != 200 => refusal(served.list),
        "/widgets" if uri.query().unwrap_or_default().contains("watch=true") => {
            let mut changes = api.served.subscribe();
            let news = async move {
                changes.changed().await.ok()?;
                let widgets = changes.borrow().widgets.clone();
                let event = |widget| format!("{{\"type\":\"MODIFIED\",\"object\":{widget}}}\n");
                let events: String = widgets.into_iter().map(event).collect();
                Some(Ok::<_, Infallible>(Bytes::from(events)))
            };
            let news = stream::once(news).filter_map(async |event| event);
            Body::from_stream(news).into_response()
        }
        "/widgets" => success(&json!({"kind": "List", "apiVersion": "v1",
            "metadata": {"resourceVersion": "9"}, "items": served.widgets})),
        "/namespaces/shop/widgets/pg/scale" => {
            api.scales.fetch_add(1, Ordering::SeqCst);
            if served.scale == 200 {
                success(&json!({"kind": "Scale", "status": {"replicas": 1, "selector": served.selector}}))
            } else {
                refusal(served.scale)
            }
        }
        _ => refusal(404),
    }
}

/// The answer of discovery, as Kubernetes gives it for all groups.
fn discovery(served: &Served) -> Response {
    let resource = |name: &&str| {
        let subresource = json!({"subresource": "scale", "responseKind": {"kind": "Scale"}, "verbs": ["get"]});
        let subresources = Some(subresource).filter(|_| served.resources.contains(&"widgets/scale"));
        json!({"resource": name, "responseKind": {"group": "", "version": "", "kind": "Widget"}, "scope": "Namespaced",
            "verbs": [], "subresources": subresources.into_iter().collect::<Vec<_>>()})
    };
    let resources = served.resources.iter().filter(|name| !name.contains('/'));
    let version = json!({"version": "v1", "resources": resources.map(resource).collect::<Vec<_>>(), "freshness": served.freshness});
    let groups = match served.discovery {
        200 => vec![json!({"metadata": {"name": "example.com"}, "versions": [version]})],
        404 => Vec::new(),
        code => return refusal(code),
    };
    success(&json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": groups}))
}

fn success(body: &Value) -> Response {
    body.to_string().into_response()
}

fn refusal(code: u16) -> Response {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "no", "reason": ""});
    (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response()
}

fn kind() -> ApiKind {
    ApiKind::new("example.com/v1", "Widget")
}

fn to_widget(name: &str) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "name": name})
}

struct Cluster {
    api: Server,
    world: World,
}

impl Cluster {
    async fn start(served: Served) -> Self {
        let api = Server {
            served: Arc::new(Sender::new(served)),
            scales: Arc::default(),
            discoveries: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().fallback(answer).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let world = World::new();
        let client = Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap();
        let meter = Arc::new(Silent) as Arc<dyn Meter>;
        let calls = Calls::new(client.clone(), Arc::clone(&meter));
        let intervals = RetryIntervals {
            absent: Duration::from_millis(30),
            again: Duration::from_millis(10),
            refused: Duration::from_millis(30),
        };
        tokio::spawn(named_kinds::watch(
            client,
            calls,
            Arc::clone(&world.cache),
            meter,
            intervals,
        ));
        Self { api, world }
    }

    /// The same, with a link to the Widget `pg`.
    async fn linked(served: Served) -> Self {
        let cluster = Self::start(served).await;
        cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
        cluster
    }

    fn serves(&self, served: Served) {
        self.api.served.send_replace(served);
    }

    fn why_not(&self) -> Option<Unlisted> {
        let name = ObjectName::new("shop", "pg");
        self.world.cache.read(|index| index.scaled.why_not(&kind(), &name))
    }

    /// The value of the label that the selector of `pg` asks for, where `pg` is known.
    fn selected(&self) -> Option<String> {
        let name = ObjectName::new("shop", "pg");
        self.world.cache.read(|index| {
            let found = index.scaled.found(&kind(), &name)?;
            found.selector.required_labels().into_values().next()
        })
    }

    async fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let reached = async {
            while !holds(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = timeout(Duration::from_secs(10), reached).await;
        assert!(reached.is_ok(), "{what}: {:?} {:?}", self.why_not(), self.selected());
    }

    async fn knows(&self, value: &str) {
        self.eventually(value, |c| c.selected().as_deref() == Some(value)).await;
        assert_eq!(self.why_not(), None);
    }

    async fn knows_why_not(&self, why: Unlisted) {
        self.eventually("why not", |c| c.why_not() == Some(why.clone())).await;
    }
}

fn forbidden() -> Unlisted {
    Unlisted::Forbidden {
        plural: "widgets".to_owned(),
    }
}

#[tokio::test]
async fn a_kind_is_watched_while_a_link_names_it_and_no_longer() {
    let cluster = Cluster::start(widgets(vec![widget(1, &json!({}))])).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    cluster.knows("pg").await;
    assert_eq!(cluster.world.heard(), names(["a"]));
    cluster.world.delete::<Links>(link("a", "db", &to_widget("pg"), 2));
    cluster.knows_why_not(Unlisted::Pending).await;
}

#[tokio::test]
async fn only_a_scale_that_a_link_names_is_read_and_only_once() {
    let cluster = Cluster::start(widgets(vec![widget(1, &json!({}))])).await;
    cluster.world.apply::<Links>(link("b", "b", &to_widget("other"), 1));
    let listed = |c: &Cluster| c.world.cache.is_listed(&kind());
    cluster.eventually("listed", listed).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), 0);
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 2));
    cluster.knows("pg").await;
    cluster.world.apply::<Links>(link("c", "c", &to_widget("pg"), 3));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_selector_that_the_controller_writes_or_changes_is_read_anew_and_a_count_is_none() {
    let cluster = Cluster::linked(widgets(vec![widget(1, &json!({"selector": "app=pg"}))])).await;
    cluster.knows("pg").await;
    let of = |version, selector: &'static str, replicas| Served {
        selector,
        ..widgets(vec![widget(
            version,
            &json!({"selector": selector, "replicas": replicas}),
        )])
    };
    cluster.serves(of(2, "app=pg2", 1));
    cluster.knows("pg2").await;
    let reads = cluster.api.scales.load(Ordering::SeqCst);
    cluster.serves(of(3, "app=pg2", 2));
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), reads);
}

#[tokio::test]
async fn a_kind_without_rights_or_without_scale_or_not_served_is_told_and_heals() {
    let cluster = Cluster::linked(Served {
        list: 403,
        ..widgets(vec![widget(1, &json!({}))])
    })
    .await;
    cluster.knows_why_not(forbidden()).await;
    assert_eq!(cluster.world.heard(), names(["a"]));
    cluster.serves(Served {
        scale: 403,
        ..widgets(vec![widget(1, &json!({}))])
    });
    let listed = |c: &Cluster| c.world.cache.is_listed(&kind());
    cluster.eventually("listed", listed).await;
    cluster.knows_why_not(forbidden()).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
    cluster.serves(Served {
        list: 403,
        ..widgets(vec![])
    });
    cluster.knows_why_not(forbidden()).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
    cluster.serves(Served {
        list: 404,
        resources: vec!["widgets"],
        ..widgets(vec![])
    });
    cluster.knows_why_not(Unlisted::NotScalable).await;
    cluster.serves(Served {
        discovery: 404,
        ..widgets(vec![])
    });
    cluster.knows_why_not(Unlisted::NotServed).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_leaves_open_what_there_is() {
    let cluster = Cluster::linked(Served {
        discovery: 503,
        ..widgets(vec![])
    })
    .await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.serves(Served {
        list: 500,
        ..widgets(vec![])
    });
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
}

/// The attack of a tenant: links that name kinds that do not exist.
#[tokio::test]
async fn three_hundred_unknown_kinds_cost_one_request_at_a_time_and_few_are_looked_for() {
    let cluster = Cluster::start(widgets(vec![widget(1, &json!({}))])).await;
    for n in 0..300 {
        let target =
            json!({"apiVersion": format!("unknown{n}.example.com/v1"), "kind": format!("Kind{n}"), "name": "x"});
        let name = format!("unknown-{n}");
        cluster.world.apply::<Links>(link(&name, &name, &target, n + 10));
    }
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    let of = |c: &Cluster, n: u32| {
        let kind = ApiKind::new(&format!("unknown{n}.example.com/v1"), &format!("Kind{n}"));
        let name = ObjectName::new("shop", "x");
        c.world.cache.read(|index| index.scaled.why_not(&kind, &name))
    };
    let told = |why: &Unlisted| {
        let all = (0..300).filter(|n| of(&cluster, *n).as_ref() == Some(why));
        all.count()
    };
    cluster
        .eventually("all are told", |_| {
            told(&Unlisted::TooMany) + told(&Unlisted::NotServed) == 300
        })
        .await;
    assert!(told(&Unlisted::NotServed) <= 16, "{}", told(&Unlisted::NotServed));
    let before = cluster.api.discoveries.load(Ordering::SeqCst);
    sleep(Duration::from_millis(300)).await;
    let asked = cluster.api.discoveries.load(Ordering::SeqCst) - before;
    assert!(asked <= 11, "{asked} requests in ten intervals");
}

#[tokio::test]
async fn a_kind_whose_server_is_down_is_not_taken_for_gone() {
    let cluster = Cluster::linked(Served {
        resources: Vec::new(),
        freshness: "Stale",
        ..widgets(vec![])
    })
    .await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
}

/// contract#unusable-objects
#[tokio::test]
async fn an_object_that_is_nested_deep_hides_no_other_of_its_kind() {
    let deep = (0..140).fold(json!(1), |inner, _| json!({ "a": inner }));
    let mut nested = widget(
        1,
        &json!({"conditions": [deep.clone()], "deep": deep.clone(), "selector": "app=nested"}),
    );
    nested["metadata"]["name"] = json!("nested");
    nested["spec"] = json!({"template": {"spec": deep.clone()}, "any": deep.clone()});
    let mut broken = widget(1, &deep);
    broken["metadata"]["name"] = json!("broken");
    broken["metadata"]["labels"] = deep;
    let cluster = Cluster::linked(widgets(vec![nested, broken, widget(1, &json!({}))])).await;
    cluster.knows("pg").await;
    let told = cluster.world.unusable();
    let names: Vec<&str> = told.iter().map(|object| &*object.name.name).collect();
    assert_eq!(names, ["broken"], "what nobody looks at does not matter");
    assert_eq!((told[0].kind, &*told[0].api_kind.kind), ("Scaled", "Widget"));
    assert_eq!(
        cluster.world.cache.count_unusable(),
        [(("Scaled", "unreadable"), 1)].into()
    );
    let broken = ObjectName::new("shop", "broken");
    let why_not = cluster.world.cache.read(|index| index.scaled.why_not(&kind(), &broken));
    assert_eq!(why_not, None, "no link waits for it");
}
