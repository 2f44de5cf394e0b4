use http::{Request, Response, StatusCode};
use instancelink_cluster::ObjectName;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::telemetry::metrics::Metrics;

/// How long the API server of these tests takes to answer the creation of the lease. It stores the lease at once.
const SLOW: Duration = Duration::from_secs(1);

/// An API server that stores one lease.
#[derive(Clone, Default)]
pub(in crate::leader) struct Server {
    lease: Arc<Mutex<Option<Value>>>,
    version: Arc<Mutex<u64>>,
    /// The answer to all requests but watches, if it fails.
    failure: Arc<Mutex<Option<Value>>>,
}

impl Server {
    pub(in crate::leader) fn client(&self) -> Client {
        let server = self.clone();
        let serve = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
        });
        Client::new(serve, "system")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch"));
        if is_watch {
            return std::future::pending().await;
        }
        if let Some(failure) = self.failure.lock().as_ref() {
            return response(StatusCode::INTERNAL_SERVER_ERROR, failure);
        }
        match request.method().as_str() {
            "GET" => match self.lease.lock().clone() {
                Some(lease) => response(StatusCode::OK, &lease),
                None => response(
                    StatusCode::NOT_FOUND,
                    &json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "no lease", "status": "Failure",
                        "details": {"name": "instancelink", "kind": "leases"}}),
                ),
            },
            method => {
                let is_creation = method == "POST";
                let body = request.into_body().collect_bytes().await.unwrap();
                let lease = self.store(serde_json::from_slice(&body).unwrap());
                if is_creation {
                    tokio::time::sleep(SLOW).await;
                }
                response(StatusCode::OK, &lease)
            }
        }
    }

    fn store(&self, mut lease: Value) -> Value {
        let mut version = self.version.lock();
        *version += 1;
        lease["metadata"]["resourceVersion"] = version.to_string().into();
        *self.lease.lock() = Some(lease.clone());
        lease
    }

    pub(in crate::leader) fn holder(&self) -> Option<String> {
        let lease = self.lease.lock().clone()?;
        lease["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }
}

fn response(code: StatusCode, body: &Value) -> Response<Body> {
    let body = Body::from(serde_json::to_vec(body).unwrap());
    Response::builder().status(code).body(body).unwrap()
}

fn contender(server: &Server) -> Election {
    contender_of(server, Duration::from_secs(10))
}

/// A contender with this deadline.
pub(in crate::leader) fn contender_of(server: &Server, deadline: Duration) -> Election {
    let config = LeaseConfig {
        lease: ObjectName::new("system", "instancelink"),
        identity: "me".to_owned(),
        duration: deadline * 3 / 2,
        renew_deadline: deadline,
        retry: deadline / 5,
    };
    let calls = Calls::new(server.client(), Arc::new(Metrics::new()));
    Election::new(calls, server.client(), Arc::new(SystemClock), config)
}

#[tokio::test(start_paused = true)]
async fn a_free_lease_is_taken() {
    let server = Server::default();
    assert!(contender(&server).acquire(&CancellationToken::new()).await);
    assert_eq!(server.holder().as_deref(), Some("me"));
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_stops_while_it_takes_the_lease_releases_it() {
    let server = Server::default();
    let stop = CancellationToken::new();
    let mut election = contender(&server);
    let stopping = stop.clone();
    let stopped = async {
        // The creation was stored, and its answer is on the way.
        tokio::time::sleep(SLOW / 2).await;
        assert_eq!(server.holder().as_deref(), Some("me"));
        stopping.cancel();
    };
    let (leads, ()) = tokio::join!(election.acquire(&stop), stopped);
    assert!(!leads);
    assert_eq!(server.holder(), None, "others would wait until it expires");
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_stops_while_another_one_leads_leaves_the_lease_alone() {
    let server = Server::default();
    server.store(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"namespace": "system", "name": "instancelink"},
        "spec": {"holderIdentity": "other", "leaseDurationSeconds": 15}}));
    let stop = CancellationToken::new();
    let mut election = contender(&server);
    let stopped = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.cancel();
    };
    let (leads, ()) = tokio::join!(election.acquire(&stop), stopped);
    assert!(!leads);
    assert_eq!(server.holder().as_deref(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_ends_at_the_deadline_and_not_after_the_next_pause() {
    let server = Server::default();
    let mut election = contender(&server);
    // With this pause the deadline is in the middle of one.
    election.config.retry = Duration::from_secs(7);
    let began = Instant::now();
    assert!(election.acquire(&CancellationToken::new()).await);
    let failure =
        json!({"kind": "Status", "code": 500, "reason": "InternalError", "message": "no", "status": "Failure"});
    *server.failure.lock() = Some(failure);
    assert!(!election.renew_until(&CancellationToken::new()).await);
    // The lease was taken by a request that was sent at once.
    assert_eq!(began.elapsed().as_secs(), 10);
}
