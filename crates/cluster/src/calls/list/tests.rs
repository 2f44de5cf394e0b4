use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use instancelink_api::InstanceLink;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::meter::Meter;

/// Counts nothing.
struct Silent;

impl Meter for Silent {
    fn requested(&self, _: &'static str, _: &'static str, _: Option<u16>, _: Duration) {}
    fn watch_failed(&self, _: &'static str) {}
}

/// As much of a link as a caller may need.
#[derive(Deserialize)]
struct Named {
    metadata: ListedName,
}

#[derive(Deserialize)]
struct ListedName {
    name: String,
}

/// An API server with many links, which refuses some requests for a further page: it does not keep the state of the list any
/// more.
#[derive(Clone)]
struct Server {
    links: usize,
    refusals: Arc<Mutex<usize>>,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(links: usize, refusals: usize) -> Self {
        Self {
            links,
            refusals: Arc::new(Mutex::new(refusals)),
            queries: Arc::default(),
        }
    }

    fn answer(&self, query: &str) -> (u16, Value) {
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}=")));
        let limit = value("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let from: usize = value("continue").map_or(0, |from| from.parse().unwrap());
        let refusals = &mut *self.refusals.lock();
        if from > 20 && *refusals > 0 {
            *refusals -= 1;
            return (
                410,
                json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}),
            );
        }
        let to = self.links.min(from.saturating_add(limit));
        let items: Vec<Value> = (from..to)
            .map(|n| json!({"metadata": {"name": n.to_string()}}))
            .collect();
        let next = if to < self.links { to.to_string() } else { String::new() };
        (
            200,
            json!({"metadata": {"resourceVersion": "7", "continue": next}, "items": items}),
        )
    }

    async fn list(&self) -> Result<Vec<usize>, CallError> {
        let server = self.clone();
        let serve = tower::service_fn(move |request: Request<Body>| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let (code, body) = server.answer(&query);
            server.queries.lock().push(query);
            let answer = Response::builder().status(StatusCode::from_u16(code).unwrap());
            let answer = answer.body(Body::from(body.to_string().into_bytes())).unwrap();
            async { Ok::<_, Infallible>(answer) }
        });
        let calls = Calls::new(Client::new(serve, "default"), Arc::new(Silent));
        let links = calls.list::<InstanceLink, Named>("InstanceLink", "").await?;
        Ok(links
            .into_iter()
            .map(|link| link.metadata.name.parse().unwrap())
            .collect())
    }
}

/// The attack of a tenant with many large links on the memory of the operator.
#[tokio::test]
async fn a_list_comes_in_small_pages() {
    for links in [0, 1, 20, 21, 200] {
        let server = Server::new(links, 0);
        assert_eq!(server.list().await, Ok((0..links).collect()));
        let queries = server.queries.lock();
        assert_eq!(queries.len(), links.div_ceil(20).max(1));
        assert!(queries.iter().all(|query| query.contains("limit=20")), "{queries:?}");
    }
}

#[tokio::test]
async fn a_list_whose_next_page_expired_begins_again_and_has_each_object_once() {
    let server = Server::new(90, 2);
    assert_eq!(server.list().await, Ok((0..90).collect()));
}

#[tokio::test]
async fn a_list_whose_pages_expire_each_time_ends() {
    let server = Server::new(90, usize::MAX);
    let answer = server.list().await;
    assert!(
        matches!(answer, Err(CallError::Refused { code: 410, .. })),
        "{answer:?}"
    );
    assert_eq!(server.queries.lock().len(), 9);
}
