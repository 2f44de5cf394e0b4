//! Detects when a process is idle.

use std::time::{Duration, Instant};

use control_plane::Program;
use tokio::time::sleep;

/// A process that uses less CPU time than this during [`SPAN`] is idle.
const NOTHING: Duration = Duration::from_millis(20);
const SPAN: Duration = Duration::from_secs(1);

/// Waits until a process is idle, and returns since when.
pub async fn until_quiet(program: &Program) -> Instant {
    let used = || program.cpu().expect("it runs");
    let (mut before, mut since) = (used(), Instant::now());
    while since.elapsed() < SPAN {
        sleep(Duration::from_millis(20)).await;
        let now = used();
        if now.saturating_sub(before) >= NOTHING {
            (before, since) = (now, Instant::now());
        }
    }
    since
}
