//! The admin server: `/livez`, `/readyz` and `/metrics`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing};
use instancelink_cluster::Cache;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::queue::Queue;
use crate::telemetry::metrics::Metrics;

/// What the admin server reads.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
}

/// Binds the port. A port in use ends the start with an error.
pub(crate) async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from(([0, 0, 0, 0], port));
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on port {port} for probes and metrics. Choose another port with --admin-port; 0 takes any free one")
    })
}

/// Serves until `stop`.
pub(crate) async fn serve(listener: TcpListener, sources: Sources, stop: CancellationToken) {
    let routes = Router::new()
        .route("/livez", routing::get(|| async { "ok\n" }))
        .route("/readyz", routing::get(readyz))
        .route("/metrics", routing::get(metrics))
        .with_state(sources);
    let stopped = stop.clone();
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(async move { stopped.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the admin server failed; probes and metrics are not served");
    }
}

/// Ready once each kind was listed. A follower is ready too: it can lead at once.
async fn readyz(Shared(sources): Shared<Sources>) -> (StatusCode, String) {
    let pending = sources.cache.pending();
    if pending.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        let text = format!("waiting for the first list of {}\n", pending.join(", "));
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

async fn metrics(Shared(sources): Shared<Sources>) -> impl IntoResponse {
    let (mut links, mut endpoints) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
    sources.cache.read(|index| {
        for (_, link) in index.links.table.iter() {
            *links.entry(link.state).or_default() += 1;
        }
        for (name, slice) in index.slices.table.iter() {
            *endpoints.entry(name.namespace.to_string()).or_default() += slice.endpoints;
        }
    });
    let text = sources.metrics.render(&links, &endpoints, sources.queue.waiting());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text)
}
