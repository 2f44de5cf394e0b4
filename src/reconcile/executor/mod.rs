//! Executes effects: one request each. The answer is recorded in the caches, so that no later decision is made on older data.
//!
//! `links` sends the requests for links, `children` those for children of any kind.

mod children;
mod kinds;
mod links;

use std::collections::HashSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_cluster::index::link_keys::source_key;
use instancelink_cluster::{Cache, CallError, Calls};
use instancelink_core::child::{DesiredChild, Key};
use instancelink_core::effect::{Answer, Effect};
use parking_lot::Mutex;

use super::link_patch::{Change, Finalizer};
use super::unconfirmed_writes::UnconfirmedWrites;

/// Children whose creation was answered with "already exists" in this pass. At the second such answer their name counts as
/// taken.
pub(super) type Collisions = Mutex<HashSet<Key>>;

/// Executes effects, for passes and for sweeps.
#[derive(Clone)]
pub(crate) struct Executor {
    calls: Calls,
    cache: Arc<Cache>,
    pub(super) unconfirmed: Arc<UnconfirmedWrites>,
    /// Answers are recorded in the caches as this process's own writes, which give no other link a pass.
    records: bool,
}

impl Executor {
    /// An executor without unconfirmed writes.
    pub(crate) fn new(calls: Calls, cache: Arc<Cache>) -> Self {
        Self {
            calls,
            cache,
            unconfirmed: Arc::default(),
            records: true,
        }
    }

    /// The same without recording: the watch brings each write, and so gives the links that it concerns a pass. For sweeps,
    /// whose writes no pass waits for.
    pub(crate) fn unrecorded(&self) -> Self {
        Self {
            records: false,
            ..self.clone()
        }
    }

    /// Executes one effect on a link as read. Events are not published here.
    pub(super) async fn execute(
        &self,
        link: &InstanceLink,
        effect: &Effect,
        collisions: &Collisions,
    ) -> Result<Answer, CallError> {
        match effect {
            Effect::AcceptAction {
                intent,
                remove_action,
                add_finalizer,
            } => {
                let change = Change {
                    intent: Some(intent),
                    remove_action: *remove_action,
                    finalizer: add_finalizer.then_some(Finalizer::Add),
                };
                self.patch_metadata(link, &change).await
            }
            Effect::WriteIntent { intent } => {
                let change = Change {
                    intent: Some(intent),
                    ..Change::default()
                };
                self.patch_metadata(link, &change).await
            }
            Effect::AddFinalizer => self.set_finalizer(link, Finalizer::Add).await,
            Effect::DropFinalizer => self.set_finalizer(link, Finalizer::Drop).await,
            Effect::WriteStatus { status } => self.write_status(link, status).await,
            Effect::DeleteLink => self.delete_link(link).await,
            Effect::Create { child } => {
                let answer = self.create(child, collisions).await;
                self.note_unconfirmed(link, child, &answer);
                answer
            }
            Effect::Replace {
                child,
                delta,
                uid,
                resource_version,
            } => {
                let answer = self.replace(child, delta, (uid, resource_version)).await;
                let answer = gone_if_not_found(answer, &child.key());
                self.note_unconfirmed(link, child, &answer);
                answer
            }
            Effect::Delete {
                key,
                uid,
                resource_version,
            } => gone_if_not_found(self.delete_of(link, key, uid, resource_version).await, key),
            Effect::Publish(_) => Ok(Answer::Done),
        }
    }

    /// Notes a write that may have been done, and one that confirms the state of the child. A deletion needs none of this: it
    /// is sent again.
    fn note_unconfirmed(&self, link: &InstanceLink, child: &DesiredChild, answer: &Result<Answer, CallError>) {
        match answer {
            Err(error) if error.leaves_doubt() => self.unconfirmed.add(source_key(link), child.clone()),
            Ok(Answer::Child(_) | Answer::Found(_) | Answer::ChildGone(_) | Answer::Done)
                if !self.unconfirmed.is_empty() =>
            {
                self.unconfirmed.forget(&source_key(link), &child.key());
            }
            // A refusal says nothing about the write before it.
            _ => {}
        }
    }
}

/// For this pass it is the same whether its write or that of another client removed a child. The other links that the child
/// concerns get a pass only in the second case, from the caches.
fn gone_if_not_found(answer: Result<Answer, CallError>, key: &Key) -> Result<Answer, CallError> {
    match answer {
        Err(CallError::NotFound(_)) => Ok(Answer::ChildGone(key.clone())),
        answer => answer,
    }
}

fn unwritable(error: &serde_json::Error) -> CallError {
    CallError::Refused {
        code: 0,
        message: format!("the patch cannot be written as JSON: {error}"),
    }
}

#[cfg(test)]
mod tests;
