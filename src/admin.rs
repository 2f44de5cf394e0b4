//! The admin server: `/livez`, `/readyz` and `/metrics`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing};
use instancelink_cluster::Cache;
use tokio_util::sync::CancellationToken;

use crate::queue::Queue;
use crate::telemetry::gauges::Numbers;
use crate::telemetry::metrics::Metrics;
use crate::vitals::Pulse;

/// What the admin server reads.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) pulse: Pulse,
}

/// Binds the port. A port in use ends the start with an error.
pub(crate) fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from(([0, 0, 0, 0], port));
    let listener = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.with_context(|| {
        format!("cannot listen on port {port} for probes and metrics. Choose another port with --admin-port; 0 takes any free one")
    })
}

/// Serves until `stop`.
pub(crate) async fn serve(listener: TcpListener, sources: Sources, stop: CancellationToken) {
    let routes = Router::new()
        .route("/livez", routing::get(livez))
        .route("/readyz", routing::get(readyz))
        .route("/metrics", routing::get(metrics))
        .with_state(sources);
    let served = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let serve = axum::serve(listener, routes);
        serve
            .with_graceful_shutdown(async move { stop.cancelled().await })
            .await
    };
    if let Err(error) = served.await {
        tracing::error!(%error, "the admin server failed; probes and metrics are not served");
    }
}

/// Alive while the threads of the passes run: this answer comes from another thread.
async fn livez(Shared(sources): Shared<Sources>) -> (StatusCode, String) {
    match sources.pulse.stuck_for() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(silence) => {
            let text = format!(
                "no pass has run for {} s; the process must be restarted\n",
                silence.as_secs()
            );
            (StatusCode::INTERNAL_SERVER_ERROR, text)
        }
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
    // It waits for the lock of the caches, and this thread must not wait for it: it renews the lease.
    let rendered = tokio::task::spawn_blocking(move || render(&sources)).await;
    let text = rendered.unwrap_or_else(|error| {
        tracing::error!(%error, "the metrics were not rendered; this is a bug");
        String::new()
    });
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text)
}

/// The metrics as text.
fn render(sources: &Sources) -> String {
    let numbers = Numbers::of(&sources.cache, sources.queue.waiting());
    sources.metrics.render(&numbers)
}
