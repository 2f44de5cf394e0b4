//! The loop: observe, ask core what is due, execute it, fold the answers, ask again, until nothing is due.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use instancelink_core::effect::{Answer, Effect, Event, Step};
use instancelink_core::rights::Account;
use instancelink_core::snapshot::Snapshot;
use instancelink_core::{lifecycle, unconfirmed_writes};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batches::Batches;
use super::events::Publisher;
use super::execute::{Executor, Taken};
use super::queue::{Ending, Queue, Turn};
use super::report;
use super::unconfirmed::UnconfirmedWrites;
use crate::clock::Clock;
use crate::leader::lease::Leadership;
use crate::telemetry::metrics::Metrics;
use crate::verify::Verifier;
use instancelink_cluster::index::link_keys::source_key;
use instancelink_cluster::{Cache, CallError, Calls, LinkKey, SourceKey, observe};

/// A pass that asks for more groups of writes than any walk through the lifecycle needs is going round in circles.
const MAX_STEPS: usize = 64;
/// A wake-up in the past must not become a loop without a pause.
const SHORTEST_WAKE: Duration = Duration::from_millis(20);

/// Everything a pass needs.
pub(crate) struct Driver {
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) doubts: Arc<UnconfirmedWrites>,
    pub(crate) batches: Batches,
    pub(crate) calls: Calls,
    pub(crate) events: Publisher,
    pub(crate) leadership: Leadership,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cluster_domain: String,
    pub(crate) account: Account,
    pub(crate) verifier: Arc<Verifier>,
}

/// How a pass ended, and its name in metrics.
type Outcome = (Ending, &'static str);

impl Driver {
    /// Runs passes until told to stop, then waits for those that run.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken, grace: Duration) {
        let mut passes = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                turn = self.queue.next() => {
                    self.metrics.dequeued(turn.waited);
                    passes.spawn(Arc::clone(&self).take_turn(turn));
                }
                Some(_) = passes.join_next() => {}
            }
        }
        if tokio::time::timeout(grace, async { while passes.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!(
                unfinished = passes.len(),
                "stopping with passes unfinished; the next start goes on from there"
            );
        }
    }

    async fn take_turn(self: Arc<Self>, turn: Turn) {
        let started = Instant::now();
        let pass = AssertUnwindSafe(self.pass(&turn)).catch_unwind().await;
        let (ending, outcome) = pass.unwrap_or_else(|_| {
            tracing::error!(link = %turn.key, "a pass panicked; this is a bug, and other links are not affected");
            (Ending::Failed(None), "panic")
        });
        self.batches.decided_anew(&turn);
        self.metrics.reconciled(outcome, started.elapsed());
        self.queue.finish(&turn, ending);
    }

    async fn pass(&self, turn: &Turn) -> Outcome {
        let executor = Executor {
            calls: self.calls.clone(),
            cache: Arc::clone(&self.cache),
            doubts: Arc::clone(&self.doubts),
        };
        let Some(mut snapshot) = self.look(turn) else {
            self.verifier.forget(&turn.key);
            return (Ending::Gone, "gone");
        };
        let taken = Taken::default();
        let mut endpoints_since = turn.endpoints_since;
        let mut repairs = Repairs::default();
        for _ in 0..MAX_STEPS {
            let step = lifecycle::step(&snapshot);
            match self.ask(&executor, turn, &snapshot, &step).await {
                Ok(false) => {}
                Ok(true) => {
                    let Some(known) = self.look(turn) else {
                        return (Ending::Gone, "gone");
                    };
                    let refusals = std::mem::take(&mut snapshot.refusals);
                    snapshot = Snapshot { refusals, ..known };
                    continue;
                }
                Err(error) => return (ending_of(&error), error.reason()),
            }
            match step {
                Step::Settled { wake, retry } => {
                    let slices = &snapshot.children.slices;
                    self.verifier.settled(&turn.key, &snapshot.link.object, slices);
                    return self.settled(&snapshot, wake, retry, repairs.are_all());
                }
                Step::Act(mut effects) => {
                    if !self.leadership.holds() {
                        return (Ending::Failed(None), "not_leading");
                    }
                    repairs.note(&effects);
                    let gives_way = self.batches.keep_back(&self.queue, turn, &snapshot, &mut effects);
                    let link = &snapshot.link.object;
                    let requests = effects.iter().map(|effect| executor.execute(link, effect, &taken));
                    let answers = join_all(requests).await;
                    self.tell(&snapshot, &effects, &answers, &mut endpoints_since);
                    if let Some(outcome) = fold(&mut snapshot, &turn.key, effects, answers) {
                        return outcome;
                    }
                    if gives_way {
                        return (Ending::GaveWay, "gave_way");
                    }
                    snapshot.now = self.clock.now();
                }
            }
        }
        tracing::error!(link = %turn.key, steps = MAX_STEPS, "a pass does not come to an end; this is a bug");
        (Ending::Failed(None), "endless")
    }

    /// What the caches show of the link.
    fn look(&self, turn: &Turn) -> Option<Snapshot> {
        let now = self.clock.now();
        let mut snapshot = self
            .cache
            .read(|index| observe(index, &turn.key, now, &self.cluster_domain))?;
        snapshot.account.clone_from(&self.account);
        snapshot.lookup = self.verifier.seen(&turn.key, &snapshot.link.object);
        Some(snapshot)
    }

    /// Asks what has to be known before this step may be acted on. Whether anything had to be.
    async fn ask(&self, executor: &Executor, turn: &Turn, snapshot: &Snapshot, step: &Step) -> Result<bool, CallError> {
        let Some(source) = turn.source.as_ref().filter(|_| !self.doubts.are_none()) else {
            return Ok(false);
        };
        let children = unconfirmed_writes::to_ask(snapshot, step, &self.doubts.of(source));
        let has_to = !children.is_empty();
        executor.ask(source, children).await?;
        Ok(has_to)
    }

    fn settled(&self, snapshot: &Snapshot, wake: Option<jiff::Timestamp>, retry: bool, repaired: bool) -> Outcome {
        let wake = wake.map(|at| {
            let left = at.duration_since(self.clock.now());
            Duration::try_from(left).unwrap_or_default().max(SHORTEST_WAKE)
        });
        if retry {
            for (key, refusal) in &snapshot.refusals {
                tracing::debug!(child = %key, reason = refusal.reason.as_str(), message = refusal.message, "refused");
            }
            (Ending::Refused(wake), "refused")
        } else if repaired {
            (Ending::Repaired(wake), "repaired")
        } else {
            (Ending::Settled(wake), "settled")
        }
    }

    /// Counts and logs what was done.
    fn tell(
        &self,
        snapshot: &Snapshot,
        effects: &[Effect],
        answers: &[Result<Answer, CallError>],
        endpoints_since: &mut Option<Instant>,
    ) {
        for event in due_events(effects, answers) {
            self.events.publish(snapshot, event);
        }
        for (effect, answer) in effects.iter().zip(answers) {
            match (effect, answer) {
                (Effect::AcceptAction { intent, .. }, Ok(Answer::Link(_))) => {
                    self.metrics.action(&intent.action, intent.verdict);
                    report::taken(&snapshot.link.object, intent);
                }
                (Effect::WriteStatus { .. }, Ok(Answer::Link(after))) => {
                    report::transition(&self.metrics, &snapshot.link.object, after);
                }
                (Effect::Create { child } | Effect::Replace { child, .. }, Ok(Answer::Child(_)))
                    if matches!(child, instancelink_core::child::DesiredChild::Slice(_)) =>
                {
                    if let Some(since) = endpoints_since.take() {
                        self.metrics.propagated(since.elapsed());
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a pass did nothing but make children that should have been there.
#[derive(Default)]
struct Repairs {
    created: bool,
    moved: bool,
}

impl Repairs {
    fn note(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Create { .. } => self.created = true,
                Effect::Replace { .. } | Effect::Delete { .. } | Effect::Publish(_) => {}
                Effect::AcceptAction { .. }
                | Effect::WriteIntent { .. }
                | Effect::AddFinalizer
                | Effect::DropFinalizer
                | Effect::WriteStatus { .. }
                | Effect::DeleteLink => self.moved = true,
            }
        }
    }

    fn are_all(&self) -> bool {
        self.created && !self.moved
    }
}

/// The events of a group: they tell of its writes, so only when all of these succeeded. What failed is decided, and told,
/// again.
fn due_events<'a>(effects: &'a [Effect], answers: &[Result<Answer, CallError>]) -> impl Iterator<Item = &'a Event> {
    let done = answers.iter().all(Result::is_ok);
    effects.iter().filter_map(move |effect| match effect {
        Effect::Publish(event) if done => Some(event),
        _ => None,
    })
}

/// Takes the answers into account. An outcome where the pass cannot go on.
fn fold(
    snapshot: &mut Snapshot,
    key: &LinkKey,
    effects: Vec<Effect>,
    answers: Vec<Result<Answer, CallError>>,
) -> Option<Outcome> {
    let mut worst: Option<CallError> = None;
    let mut gone = false;
    for (effect, answer) in effects.into_iter().zip(answers) {
        match answer {
            Ok(Answer::LinkGone) => gone = true,
            Ok(answer) => snapshot.fold(answer),
            Err(error) => {
                report::failure(key, &effect, &error);
                worst = Some(match worst.take() {
                    Some(known) => graver(known, error),
                    None => error,
                });
            }
        }
    }
    if gone {
        // The caches know; a successor of the same name gets its own pass by its own event.
        return Some((Ending::Settled(None), "gone"));
    }
    worst.map(|error| (ending_of(&error), error.reason()))
}

/// Of two failures, the one that says more about when to try again.
fn graver(a: CallError, b: CallError) -> CallError {
    let weight = |e: &CallError| match e {
        CallError::Overloaded { .. } => 3,
        CallError::Server { .. } | CallError::Transport(_) | CallError::Terminating(_) => 2,
        CallError::Forbidden(_) | CallError::Refused { .. } => 1,
        CallError::NotFound(_) | CallError::Conflict(_) | CallError::AlreadyExists(_) => 0,
    };
    if weight(&b) > weight(&a) { b } else { a }
}

fn ending_of(error: &CallError) -> Ending {
    match error {
        CallError::NotFound(_) | CallError::Conflict(_) | CallError::AlreadyExists(_) => Ending::Conflict,
        CallError::Overloaded { retry_after, .. } => Ending::Failed(*retry_after),
        // A missing right, or a link the API server will not have: somebody has to mend that.
        CallError::Forbidden(_) | CallError::Refused { .. } => Ending::Refused(None),
        CallError::Terminating(_) | CallError::Server { .. } | CallError::Transport(_) => Ending::Failed(None),
    }
}

/// The source of a link that is known.
pub(crate) fn source_of(cache: &Cache, key: &LinkKey) -> Option<SourceKey> {
    cache.read(|index| {
        let link = index.links.table.get(key)?;
        Some(source_key(&link.peek()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_when_the_write_it_is_about_succeeded() {
        let event = Event {
            warning: false,
            reason: "ActionAccepted".to_owned(),
            action: "deactivate".to_owned(),
            note: "deactivate accepted in state active".to_owned(),
        };
        let effects = [Effect::AddFinalizer, Effect::Publish(event)];
        let conflict = || Err(CallError::Conflict("somebody wrote in between".to_owned()));
        assert_eq!(due_events(&effects, &[Ok(Answer::Done), Ok(Answer::Done)]).count(), 1);
        assert_eq!(due_events(&effects, &[conflict(), Ok(Answer::Done)]).count(), 0);
    }
}
