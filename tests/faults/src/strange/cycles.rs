//! A link that is cut and restored all the time.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use harness::Link;
use instancelink_api::State::{Active, Inactive};
use serde_json::json;
use tokio::time::sleep;

/// How long a turn may take.
const ENDS: Duration = Duration::from_mins(1);

/// A link that is cut and restored all the time, and how long that takes.
#[derive(Default)]
pub struct Cycles {
    times: Mutex<Vec<Duration>>,
    /// How many of them were before the first strange object.
    calm: AtomicUsize,
    stop: AtomicBool,
}

impl Cycles {
    /// The first strange object is written now.
    pub fn calm_is_over(&self) {
        self.calm.store(self.times.lock().unwrap().len(), Ordering::Relaxed);
    }

    /// Ends it after the next turn.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The longest time before the first strange object, and the times after it.
    pub fn times(&self) -> (Duration, Vec<Duration>) {
        let mut times = self.times.lock().unwrap().clone();
        let loud = times.split_off(self.calm.load(Ordering::Relaxed));
        (times.into_iter().max().unwrap_or_default(), loud)
    }

    /// Cuts and restores the link until it is stopped, or does not follow.
    pub async fn run(&self, link: &Link) {
        while !self.stop.load(Ordering::Relaxed) {
            for (desired, state) in [("Inactive", Inactive), ("Active", Active)] {
                let started = Instant::now();
                link.edit(json!({ "desiredState": desired })).await;
                let reached = AssertUnwindSafe(link.reaches_within(state, ENDS)).catch_unwind().await;
                self.times.lock().unwrap().push(started.elapsed());
                if reached.is_err() {
                    return;
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}
