//! A fixed rate that does not depend on the duration of earlier work, because users do not wait for each other.

use std::time::Duration;

use futures::{Stream, stream};
use tokio::time::interval;

/// Counts from 0 at this rate. Late ticks follow immediately.
pub fn ticks(a_second: u32) -> impl Stream<Item = usize> {
    let times = interval(Duration::from_secs(1) / a_second);
    stream::unfold((times, 0), async |(mut times, count)| {
        times.tick().await;
        Some((count, (times, count + 1)))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn what_comes_late_is_made_up_for() {
        let started = Instant::now();
        let mut ticks = std::pin::pin!(ticks(100).take(11));
        assert_eq!(ticks.next().await, Some(0));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(ticks.collect::<Vec<_>>().await, (1..=10).collect::<Vec<_>>());
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(100), "{took:?}");
    }
}
