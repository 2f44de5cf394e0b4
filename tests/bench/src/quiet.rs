//! When a process has nothing to do any more.

use std::time::{Duration, Instant};

use control_plane::Program;
use tokio::time::sleep;

/// Less of a processor's time than this, for as long as [`SPAN`], is nothing to do.
const NOTHING: Duration = Duration::from_millis(20);
const SPAN: Duration = Duration::from_secs(1);

/// Waits until a process has nothing to do, and says since when.
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
