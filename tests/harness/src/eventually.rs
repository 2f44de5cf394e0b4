//! Bounded waits for a condition that must become true, or must stay false. The message shows what was seen last.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Long enough for each reaction of the operator on a busy two-core machine.
pub const SHORT: Duration = Duration::from_secs(20);

const PERIOD: Duration = Duration::from_millis(100);

/// Asks repeatedly until the answer is `Ok`. Panics with the last `Err` when `limit` has passed.
pub async fn eventually<T>(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        let last = match check().await {
            Ok(found) => return found,
            Err(last) => last,
        };
        assert!(
            started.elapsed() < limit,
            "not within {limit:?}: {what}\nlast seen: {last}"
        );
        sleep(PERIOD).await;
    }
}

/// Asks repeatedly during `span`. Panics as soon as the answer is `Err`.
pub async fn never(what: &str, span: Duration, mut check: impl AsyncFnMut() -> Result<(), String>) {
    let started = Instant::now();
    while started.elapsed() < span {
        if let Err(seen) = check().await {
            panic!("after {:?}: {what}\nseen: {seen}", started.elapsed());
        }
        sleep(PERIOD).await;
    }
}
