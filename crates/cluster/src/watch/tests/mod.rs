//! Watches against a small API server.

mod reference_grants;
mod scaled_kinds;
mod unknown_kinds;
mod widgets;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::retry_intervals::RetryIntervals;

use crate::affects::{Links, ReferenceGrants};
use crate::calls::Calls;
use crate::meter::Meter;
use crate::name::ObjectName;
use crate::world::*;

/// Counts nothing.
struct Silent;

impl Meter for Silent {
    fn requested(&self, _: &'static str, _: &'static str, _: Option<u16>, _: Duration) {}
    fn watch_failed(&self, _: &'static str) {}
}

/// Intervals for tests in real time.
const QUICK: RetryIntervals = RetryIntervals {
    absent: Duration::from_millis(30),
    again: Duration::from_millis(10),
    refused: Duration::from_millis(30),
    longest: Duration::from_millis(300),
};

/// Starts a watch whose API server has these routes. There is no network, so that time may be virtual.
fn start<F>(routes: Router, watch: impl FnOnce(Client, Calls, Arc<dyn Meter>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        routes.clone().oneshot(request.map(Body::new))
    });
    let client = Client::new(service, "default");
    let meter = Arc::new(Silent) as Arc<dyn Meter>;
    let calls = Calls::new(client.clone(), Arc::clone(&meter));
    tokio::spawn(watch(client, calls, meter));
}

fn success(body: &Value) -> Response {
    body.to_string().into_response()
}

fn refusal(code: u16) -> Response {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "no", "reason": ""});
    (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response()
}
