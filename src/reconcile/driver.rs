//! Takes turns from the queue and runs a pass for each. A panic in one pass does not affect the others.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::memory::FORGET_EVERY;
use super::outcome::Outcome;
use super::pass::PassContext;
use super::record;
use super::running::LOOK_EVERY;
use crate::queue::{Ending, Turn};
use crate::supervise::message_of;

/// Runs the passes.
pub(crate) struct Driver {
    context: PassContext,
}

impl Driver {
    /// A driver whose passes use this context.
    pub(crate) fn new(context: PassContext) -> Self {
        Self { context }
    }

    /// Runs passes until `stop`, then waits for the running ones.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken, grace: Duration) {
        let mut passes = JoinSet::new();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let recent_writes = &self.context.recent_writes;
        let mut forget = interval(FORGET_EVERY);
        forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                turn = self.context.queue.next() => {
                    self.context.metrics.time_in_queue(turn.waited);
                    passes.spawn(Arc::clone(&self).take_turn(turn));
                }
                Some(_) = passes.join_next() => {}
                _ = look.tick(), if !passes.is_empty() => {
                    self.context.running.newly_stuck().iter().for_each(record::stuck_pass);
                }
                _ = forget.tick() => {
                    let now = self.context.clock.now();
                    recent_writes.forget_old(now);
                    self.context.link_writes.forget_old(now);
                }
            }
        }
        if tokio::time::timeout(grace, async { while passes.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!(
                unfinished = passes.len(),
                "the operator stops before all passes have ended; the next leader continues their work"
            );
        }
    }

    async fn take_turn(self: Arc<Self>, turn: Turn) {
        let context = &self.context;
        let started = Instant::now();
        let pass = AssertUnwindSafe(context.pass(&turn)).catch_unwind().await;
        let Outcome { ending, label } = pass.unwrap_or_else(|panic| {
            tracing::error!(
                link = %turn.key,
                panic = message_of(panic.as_ref()),
                "a pass panicked; this is a bug, please report it with this line. Other links are not affected"
            );
            Outcome::new(Ending::Failed(None), "panic")
        });
        context.batches.end_turn(&turn);
        context.metrics.count_pass(label, started.elapsed());
        context.queue.finish(&turn, ending);
    }
}
