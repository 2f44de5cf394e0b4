//! Lookups in the DNS that a schedule says are due. There is a limit on those in flight and a pause between two of them: what
//! tenants write, and ten thousand links, must not flood the DNS.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use tokio_util::sync::CancellationToken;

const IN_FLIGHT: usize = 8;
const PAUSE: Duration = Duration::from_millis(50);

/// What is looked up, and when.
pub(crate) trait Schedule {
    type Key;

    /// The next lookup that is due. Without a result, for example after a panic, it is due again later.
    fn pop(&mut self, now: Instant) -> Option<Self::Key>;

    /// When the next lookup is due.
    fn next_timer(&self) -> Option<Instant>;
}

/// A schedule that passes change while its lookups run.
#[derive(Debug, Default)]
pub(crate) struct DueLookups<S> {
    schedule: Mutex<S>,
    changed: Notify,
}

impl<S: Schedule> DueLookups<S> {
    pub(crate) fn schedule(&self) -> MutexGuard<'_, S> {
        self.schedule.lock()
    }

    /// A lookup may be due earlier than before.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Starts lookups until `stop`. `what` names the thing that is looked up.
    pub(crate) async fn run<F>(&self, what: &str, stop: &CancellationToken, look_up: impl Fn(S::Key) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut pause = tokio::time::interval(PAUSE);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lookups = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                key = self.next(), if lookups.len() < IN_FLIGHT => {
                    lookups.spawn(look_up(key));
                    pause.tick().await;
                }
                Some(ended) = lookups.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(
                            %error,
                            of = what,
                            "a lookup panicked; this is a bug, please report it with this line. Others are still made"
                        );
                    }
                }
            }
        }
    }

    /// Waits for the next lookup that is due.
    async fn next(&self) -> S::Key {
        loop {
            let timer = {
                let mut schedule = self.schedule.lock();
                if let Some(key) = schedule.pop(Instant::now()) {
                    return key;
                }
                schedule.next_timer()
            };
            let timer = timer.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(timer) => {}
            }
        }
    }
}
