//! One pass over one link: observe, decide, ask, execute, fold, and decide again, until nothing is due
//! (`lifecycle#one-pass`).

mod ended;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use instancelink_api::Infrastructure;
use instancelink_cluster::index::link_keys::source_key;
use instancelink_cluster::{Cache, CallError, LinkKey, SourceKey, observe};
use instancelink_core::alteration::Alteration;
use instancelink_core::child::{Key, Kind};
use instancelink_core::dataplane;
use instancelink_core::effect::{Answer, Effect, Step};
use instancelink_core::lifecycle;
use instancelink_core::refusal::Refusal;
use instancelink_core::rights::Account;
use instancelink_core::snapshot::{Secrets, Snapshot};
use instancelink_core::unconfirmed_writes::to_ask;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::alterations;
use super::batches::Batches;
use super::executor::{Collisions, Executor};
use super::link_writes::{OwnLinkWrites, RecentLinkWrites};
use super::memory::RecentWrites;
use super::outcome::{Outcome, worst};
use super::record;
use super::refuse::{is_refusal, refusal_of_link};
use super::refused_link::{RefusedLink, RefusedLinks};
use super::refused_writes::RefusedWrites;
use super::running::{RunningPass, RunningPasses, Work};
use crate::clock::Clock;
use crate::events::Publisher;
use crate::external_names::ExternalLookups;
use crate::leader::Leadership;
use crate::queue::{Ending, Queue, Turn};
use crate::telemetry::metrics::Metrics;
use crate::verify::Verifier;

/// More groups of writes than any walk through the lifecycle needs. A pass that reaches this number does not converge.
const MAX_STEPS: usize = 64;
/// The shortest time until the next pass: a wake-up time in the past must not cause passes without a pause.
const SHORTEST_WAKE: Duration = Duration::from_millis(20);

/// Everything that passes need.
pub(crate) struct PassContext {
    pub(crate) executor: Executor,
    pub(crate) batches: Batches,
    pub(crate) recent_writes: RecentWrites,
    pub(crate) link_writes: Arc<RecentLinkWrites>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) events: Publisher,
    pub(crate) leadership: Leadership,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cluster_domain: String,
    /// How long links stay active for the pods of a source that is gone.
    pub(crate) source_grace: SignedDuration,
    /// The operator's user name, for manifests in messages.
    pub(crate) account: Account,
    /// Labels and annotations of all children.
    pub(crate) child_defaults: Arc<Infrastructure>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) external_names: Arc<ExternalLookups>,
    pub(crate) running: RunningPasses,
    pub(crate) refused_writes: RefusedWrites,
    pub(crate) refused_links: RefusedLinks,
}

impl PassContext {
    /// Runs one pass.
    pub(super) async fn pass(&self, turn: &Turn) -> Outcome {
        let mut pass = Pass {
            context: self,
            turn,
            collisions: Collisions::default(),
            recalled: Vec::new(),
            endpoints_since: turn.endpoints_since,
            refused_link: self.refused_links.before(&turn.key),
            link_writes: self.link_writes.of(&turn.key),
            running: self.running.begin(&turn.key),
        };
        let outcome = pass.run().await;
        let is_disputed = pass.link_writes.are_disputed(self.clock.now());
        self.refused_links
            .pass_ended(&turn.key, &pass.refused_link, outcome.ending, is_disputed);
        self.link_writes.keep(pass.link_writes);
        if let Some(report) = pass.running.slow() {
            record::slow_pass(&report);
        }
        outcome
    }
}

/// A pass that runs.
struct Pass<'a> {
    context: &'a PassContext,
    turn: &'a Turn,
    collisions: Collisions,
    /// The children that are not written again in this pass, because the last one was refused.
    recalled: Vec<Key>,
    /// When a change of the link's endpoints was first seen that no slice shows yet.
    endpoints_since: Option<Instant>,
    refused_link: RefusedLink,
    link_writes: OwnLinkWrites,
    running: RunningPass<'a>,
}

impl Pass<'_> {
    async fn run(&mut self) -> Outcome {
        let recalled = self.context.refused_writes.recall(self.turn);
        let Some(mut snapshot) = self.observe() else {
            return self.gone();
        };
        self.recalled = recalled.keys().cloned().collect();
        snapshot.refusals = recalled;
        for _ in 0..MAX_STEPS {
            // A step is work of some milliseconds. Between two of them, the passes of others have their turn.
            tokio::task::yield_now().await;
            self.running.begins(Work::DECIDING);
            let step = decide(&snapshot);
            match self.ask(&snapshot, &step).await {
                Ok(false) => {}
                Ok(true) => {
                    // The answers are in the caches now, and may lead to another decision.
                    let Some(observed) = self.observe() else {
                        return self.gone();
                    };
                    snapshot = Snapshot {
                        refusals: std::mem::take(&mut snapshot.refusals),
                        link_refusals: snapshot.link_refusals,
                        disputes: std::mem::take(&mut snapshot.disputes),
                        ..observed
                    };
                    continue;
                }
                Err(error) => return Outcome::after(&error),
            }
            let mut effects = match step {
                Step::Settled { wake, retry } => match self.link_writes.repair(snapshot.now) {
                    Ok(repair) => vec![repair],
                    Err(next) => {
                        if next.is_some() {
                            let key = &self.turn.key;
                            self.note_refused_link(&snapshot, Refusal::link_edited(&key.namespace, &key.name));
                        }
                        return self.settle(&snapshot, wake.into_iter().chain(next).min(), retry);
                    }
                },
                Step::Act(effects) => effects,
            };
            if !self.context.leadership.holds() {
                return Outcome::new(Ending::Failed(None), "not_leading");
            }
            let batches = &self.context.batches;
            let yields = batches.hold_back(&self.context.queue, self.turn, &snapshot, &mut effects);
            if let Some(outcome) = self.act(&mut snapshot, effects).await {
                return outcome;
            }
            if yields {
                return Outcome::new(Ending::Yielded, "yielded");
            }
        }
        tracing::error!(
            link = %self.turn.key,
            steps = MAX_STEPS,
            "a pass does not converge; this is a bug, please report it with this line. The link is tried again later"
        );
        Outcome::new(Ending::Failed(None), "endless")
    }

    /// The link and all that its decision depends on, as the caches show it; none if there is no such link.
    fn observe(&mut self) -> Option<Snapshot> {
        self.running.begins(Work::OBSERVING);
        let context = self.context;
        let (key, now) = (&self.turn.key, context.clock.now());
        let mut written = Vec::new();
        if let Some(source) = &self.turn.source {
            written = context.executor.unconfirmed.of(source);
            // This pass may write on top of it.
            written.extend(context.batches.held_back(source));
        }
        let mut snapshot = context
            .cache
            .read(|index| observe(index, key, now, &context.cluster_domain, &written))?;
        snapshot.account.clone_from(&context.account);
        snapshot.source_grace = context.source_grace;
        snapshot.child_defaults = Arc::clone(&context.child_defaults);
        self.link_writes.take(&mut snapshot, &context.link_writes);
        snapshot.lookup = context.verifier.lookup_of(key, &snapshot.link.object);
        context.external_names.add_to(key, &mut snapshot);
        dataplane::recall(&mut snapshot, context.recent_writes.of(key));
        Some(snapshot)
    }

    /// Reads the children with an unconfirmed write on which this step depends. True if there were any.
    async fn ask(&self, snapshot: &Snapshot, step: &Step) -> Result<bool, CallError> {
        let executor = &self.context.executor;
        let Some(source) = self.turn.source.as_ref() else {
            return Ok(false);
        };
        let unconfirmed = executor.unconfirmed.of(source);
        if unconfirmed.is_empty() {
            return Ok(false);
        }
        let children = to_ask(snapshot, step, &unconfirmed);
        for key in &children {
            self.running.begins(Work::reading(key.kind));
            match executor.confirm(source, key).await {
                Ok(()) => {}
                Err(CallError::Forbidden(_)) if may_stay_unknown(snapshot, key) => {
                    executor.unconfirmed.forget(source, key);
                }
                Err(error) => {
                    record::unread_child(&self.turn.key, key, &error);
                    return Err(error);
                }
            }
        }
        Ok(!children.is_empty())
    }

    /// Sends the requests of a group, and takes the answers into the snapshot. An outcome if the pass cannot go on.
    async fn act(&mut self, snapshot: &mut Snapshot, effects: Vec<Effect>) -> Option<Outcome> {
        let collisions = self.collisions.lock().len();
        let executor = &self.context.executor;
        // A repair takes the field from the client that changed it, so that client is asked for before.
        let before = alterations::before(executor, snapshot, &effects).await;
        let answers = self.execute(snapshot, &effects).await;
        let alterations = alterations::after(executor, &effects, &answers, before).await;
        let outcome = self.fold(snapshot, effects, answers, alterations);
        let recent_writes = &self.context.recent_writes;
        recent_writes.keep(&self.turn.key, &snapshot.disputes);
        if outcome.is_some() {
            return outcome;
        }
        if self.collisions.lock().len() > collisions {
            // A child that existed already was read. It may name links that were no siblings in the snapshot.
            let Some(observed) = self.observe() else {
                return Some(self.gone());
            };
            snapshot.siblings = observed.siblings;
        }
        None
    }

    /// Sends the requests of a group, all at once.
    async fn execute(&mut self, snapshot: &Snapshot, effects: &[Effect]) -> Vec<Result<Answer, CallError>> {
        let (executor, link) = (&self.context.executor, self.link_writes.observed(snapshot));
        if let Some(first) = effects.iter().find_map(Work::of) {
            self.running.begins(first);
        }
        let requests = effects.iter().map(async |effect| {
            let started = Instant::now();
            let answer = executor.execute(link, effect, &self.collisions).await;
            (answer, started.elapsed())
        });
        let (answers, times): (Vec<_>, Vec<_>) = join_all(requests).await.into_iter().unzip();
        let slowest = effects.iter().zip(times).max_by_key(|(_, took)| *took);
        if let Some(work) = slowest.and_then(|(effect, _)| Work::of(effect)) {
            self.running.was_mostly(work);
        }
        let (metrics, events) = (&self.context.metrics, &self.context.events);
        record::group(metrics, events, snapshot, effects, &answers, &mut self.endpoints_since);
        answers
    }

    /// Takes the answers into the snapshot. An outcome if the pass cannot go on.
    fn fold(
        &mut self,
        snapshot: &mut Snapshot,
        effects: Vec<Effect>,
        answers: Vec<Result<Answer, CallError>>,
        alterations: Vec<Option<Alteration>>,
    ) -> Option<Outcome> {
        let mut errors = Vec::new();
        let mut gone = false;
        let mut held = false;
        snapshot.now = self.context.clock.now();
        for ((effect, answer), alteration) in effects.into_iter().zip(answers).zip(alterations) {
            match answer {
                Ok(Answer::LinkGone) => gone = true,
                Ok(answer) => {
                    if matches!(answer, Answer::Child(_) | Answer::ChildGone(_)) {
                        // What refused the last pass is over.
                        for key in self.recalled.drain(..) {
                            snapshot.refusals.remove(&key);
                        }
                    }
                    let is_link = matches!(answer, Answer::Link(_));
                    if let Answer::Link(link) = &answer {
                        self.link_writes.record(&effect, link, snapshot.now);
                    }
                    let refusals = snapshot.link_refusals;
                    let goes_on = lifecycle::take_answer(snapshot, &effect, answer, alteration);
                    if !goes_on || snapshot.link_refusals > refusals {
                        let key = &self.turn.key;
                        self.note_refused_link(snapshot, Refusal::link_altered(&key.namespace, &key.name));
                    } else if is_link {
                        self.link_writes.take_link(snapshot);
                    }
                    held |= !goes_on;
                }
                Err(error) => {
                    record::failure(&self.turn.key, &effect, &error);
                    if error.leaves_doubt() {
                        self.link_writes.forget(&effect);
                    }
                    let refusal = refusal_of_link(&error, &effect, &self.turn.key);
                    let refused = refusal.is_some() || is_refusal(&error);
                    if let Some(refusal) = refusal {
                        self.note_refused_link(snapshot, refusal);
                    }
                    if !(refused && lifecycle::refuse(snapshot, &effect)) {
                        errors.push(error);
                    }
                }
            }
        }
        if gone {
            // The caches know. A new link of the same name has its own pass by its own event.
            self.forget_gone_sources();
            return Some(Outcome::new(Ending::Settled(None), "gone"));
        }
        let undone = held.then(|| Outcome::new(Ending::Refused(None), "undone"));
        let outcome = worst(errors).map(|error| Outcome::after(&error)).or(undone);
        outcome.map(|outcome| self.refused_link.of(outcome))
    }

    fn note_refused_link(&mut self, snapshot: &Snapshot, refusal: Refusal) {
        self.refused_link.note(refusal, snapshot, &self.context.events);
    }
}

/// The next step. Only core decides it.
fn decide(snapshot: &Snapshot) -> Step {
    lifecycle::step(snapshot)
}

/// True for a child that the link does not wait for if the operator may not read it. Elsewhere the pass fails and is repeated,
/// because an API server that starts refuses every request for a moment.
fn may_stay_unknown(snapshot: &Snapshot, child: &Key) -> bool {
    let namespace = snapshot.link.object.metadata.namespace.as_deref();
    // The namespace controller deletes everything in the namespace, including the operator's right to see it.
    (snapshot.namespace.terminating && namespace == Some(child.namespace.as_str()))
        // The missing right is in the link's condition. When the operator gets it, it lists all Secrets.
        || (child.kind == Kind::Binding && matches!(snapshot.secrets, Secrets::Forbidden))
}

/// The source of a link that is in the caches.
pub(crate) fn source_of(cache: &Cache, key: &LinkKey) -> Option<SourceKey> {
    cache.read(|index| {
        let link = index.links.table.get(key)?;
        Some(source_key(&link.peek()))
    })
}

#[cfg(test)]
mod tests;
