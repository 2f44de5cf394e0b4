//! Restarts background tasks that panic.
//!
//! A panic is a bug, but the process continues: the tasks here (sweeps, events, readiness gates, DNS lookups) are
//! separate from the passes that serve the links. An object that makes one of them panic would do so again after a
//! restart of the process, and then no link would be served at all. Each of these tasks checks everything when it
//! starts, so a restart loses no work. A panic is logged as an error and counted in `instancelink_task_restarts_total`.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use instancelink_cluster::backoff::up_to;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics::Metrics;

/// The longest pause before a restart. A task that ran longer than this starts again with the shortest one.
const MAX_DELAY: Duration = Duration::from_mins(1);

/// Runs a task until it ends, and starts it again after each panic until `stop`.
pub(crate) async fn supervise<F: Future<Output = ()>>(
    task: &'static str,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    start: impl Fn() -> F,
) {
    let mut panics = 0_u32;
    loop {
        let started = Instant::now();
        let Err(panic) = AssertUnwindSafe(start()).catch_unwind().await else {
            return;
        };
        if started.elapsed() > MAX_DELAY {
            panics = 0;
        }
        panics = panics.saturating_add(1);
        let delay = up_to(MAX_DELAY, &task, panics);
        metrics.count_task_restart(task);
        tracing::error!(
            task,
            panic = message_of(panic.as_ref()),
            restarts_in = ?delay,
            "a background task panicked; this is a bug, please report it with this line. Links are still served, and the \
             task starts again"
        );
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// The message of a panic.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::telemetry::gauges::Numbers;

    fn restarts(metrics: &Metrics) -> bool {
        let text = metrics.render(&Numbers::default());
        text.contains("instancelink_task_restarts_total{task=\"test\"} 2")
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_starts_again_and_is_counted() {
        let (metrics, runs) = (Arc::new(Metrics::new()), AtomicU32::new(0));
        let run = || async {
            assert!(runs.fetch_add(1, Ordering::Relaxed) >= 2, "the first two runs fail");
        };
        supervise("test", Arc::clone(&metrics), CancellationToken::new(), run).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert!(restarts(&metrics));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_always_panics_ends_when_the_operator_stops() {
        let (metrics, stop) = (Arc::new(Metrics::new()), CancellationToken::new());
        let stopping = stop.clone();
        let supervised = supervise("test", metrics, stop, || async { panic!("always") });
        let stopped = async {
            tokio::time::sleep(Duration::from_mins(10)).await;
            stopping.cancel();
        };
        tokio::join!(supervised, stopped);
    }
}
