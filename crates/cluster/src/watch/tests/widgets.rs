//! An API server that serves the kind `Widget`, or does not, and the watches of kinds that links name.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use instancelink_core::snapshot::{ApiKind, Unlisted};
use parking_lot::Mutex;
use tokio::sync::watch::Sender;
use tokio::time::{sleep, timeout};

use super::super::named_kinds;
use super::super::retry_intervals::RetryIntervals;
use super::*;

/// What the API server does now.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Statuses of discovery, of lists and of scales.
    pub(super) discovery: u16,
    pub(super) list: u16,
    pub(super) scale: u16,
    pub(super) resources: Vec<&'static str>,
    pub(super) selector: String,
    /// False for an API server without streaming lists.
    pub(super) streams: bool,
    /// How long the API server takes for a scale.
    pub(super) scale_takes: Duration,
    pub(super) freshness: &'static str,
    pub(super) widgets: Vec<Value>,
}

pub(super) fn widgets(widgets: Vec<Value>) -> Served {
    Served {
        discovery: 200,
        list: 200,
        scale: 200,
        resources: vec!["widgets", "widgets/scale"],
        selector: "app=pg".to_owned(),
        streams: true,
        scale_takes: Duration::ZERO,
        freshness: "Current",
        widgets,
    }
}

pub(super) fn widget(version: u64, status: &Value) -> Value {
    let mut meta = meta("pg", version);
    meta["generation"] = json!(1);
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": meta, "status": status})
}

#[derive(Clone)]
pub(super) struct Server {
    served: Arc<Sender<Served>>,
    pub(super) scales: Arc<AtomicUsize>,
    /// The queries of lists.
    pub(super) lists: Arc<Mutex<Vec<String>>>,
    pub(super) discoveries: Arc<AtomicUsize>,
}

async fn answer(State(api): State<Server>, uri: Uri) -> Response {
    let served = api.served.borrow().clone();
    if uri.path() == "/apis" {
        api.discoveries.fetch_add(1, Ordering::SeqCst);
        return discovery(&served);
    }
    let path = uri.path().strip_prefix("/apis/example.com/v1").unwrap_or("?");
    let query = uri.query().unwrap_or_default();
    match path {
        "/widgets" if served.list != 200 => refusal(served.list),
        "/widgets" if query.contains("sendInitialEvents=true") && !served.streams => refusal(422),
        "/widgets" if query.contains("watch=true") => {
            let mut changes = api.served.subscribe();
            let first = if query.contains("sendInitialEvents=true") {
                initial_events(&served.widgets)
            } else {
                String::new()
            };
            let first = stream::iter([Ok::<_, Infallible>(Bytes::from(first))]);
            let news = async move {
                changes.changed().await.ok()?;
                let widgets = changes.borrow().widgets.clone();
                let event = |widget| format!("{{\"type\":\"MODIFIED\",\"object\":{widget}}}\n");
                let events: String = widgets.into_iter().map(event).collect();
                Some(Ok(Bytes::from(events)))
            };
            let news = stream::once(news).filter_map(async |event| event);
            Body::from_stream(first.chain(news)).into_response()
        }
        "/widgets" => {
            api.lists.lock().push(query.to_owned());
            success(&json!({"kind": "List", "apiVersion": "v1",
                "metadata": {"resourceVersion": "9"}, "items": served.widgets}))
        }
        "/namespaces/shop/widgets/pg/scale" => {
            api.scales.fetch_add(1, Ordering::SeqCst);
            sleep(served.scale_takes).await;
            if served.scale == 200 {
                success(&json!({"kind": "Scale", "status": {"replicas": 1, "selector": served.selector}}))
            } else {
                refusal(served.scale)
            }
        }
        _ => refusal(404),
    }
}

/// What a streaming list shows before the changes. The type of an event comes first, as the API server writes it.
fn initial_events(widgets: &[Value]) -> String {
    let end = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata":
        {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}});
    let added = widgets.iter().map(|widget| ("ADDED", widget));
    let events = added.chain([("BOOKMARK", &end)]);
    let lines: Vec<String> = events
        .map(|(kind, object)| format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
        .collect();
    lines.concat()
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

pub(super) fn kind() -> ApiKind {
    ApiKind::new("example.com/v1", "Widget")
}

pub(super) fn to_widget(name: &str) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "name": name})
}

pub(super) struct Cluster {
    pub(super) api: Server,
    pub(super) world: World,
}

impl Cluster {
    pub(super) fn start(served: Served) -> Self {
        Self::with(served, QUICK)
    }

    /// The same, with these intervals.
    pub(super) fn with(served: Served, intervals: RetryIntervals) -> Self {
        let api = Server {
            served: Arc::new(Sender::new(served)),
            scales: Arc::default(),
            lists: Arc::default(),
            discoveries: Arc::default(),
        };
        let world = World::new();
        let cache = Arc::clone(&world.cache);
        let routes = Router::new().fallback(answer).with_state(api.clone());
        start(routes, |client, calls, meter| {
            named_kinds::watch(client, calls, cache, meter, intervals)
        });
        Self { api, world }
    }

    /// The same, with a link to the Widget `pg`.
    pub(super) fn linked(served: Served) -> Self {
        let cluster = Self::start(served);
        cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
        cluster
    }

    pub(super) fn serves(&self, served: Served) {
        self.api.served.send_replace(served);
    }

    pub(super) fn why_not(&self) -> Option<Unlisted> {
        let name = ObjectName::new("shop", "pg");
        self.world.cache.read(|index| index.scaled.why_not(&kind(), &name))
    }

    /// The value of the label that the selector of `pg` asks for, where `pg` is known.
    pub(super) fn selected(&self) -> Option<String> {
        let name = ObjectName::new("shop", "pg");
        self.world.cache.read(|index| {
            let found = index.scaled.found(&kind(), &name)?;
            found.selector.required_labels().into_values().next()
        })
    }

    pub(super) async fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let reached = async {
            while !holds(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = timeout(Duration::from_secs(10), reached).await;
        assert!(reached.is_ok(), "{what}: {:?} {:?}", self.why_not(), self.selected());
    }

    pub(super) async fn knows(&self, value: &str) {
        self.eventually(value, |c| c.selected().as_deref() == Some(value)).await;
        assert_eq!(self.why_not(), None);
    }

    pub(super) async fn knows_why_not(&self, why: Unlisted) {
        self.eventually("why not", |c| c.why_not() == Some(why.clone())).await;
    }
}

pub(super) fn forbidden() -> Unlisted {
    Unlisted::Forbidden {
        plural: "widgets".to_owned(),
    }
}
