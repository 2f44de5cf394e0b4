//! The effects that a decision asks for, and their answers. The operator executes the effects; the model and the simulator do
//! the same.

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent};
use jiff::Timestamp;

use crate::child::{Delta, DesiredChild, Key, ObservedChild};
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// The answer of `step`: the next group of writes, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Writes that are independent of each other: execute all of them, fold the answers, and call `step` again.
    Act(Vec<Effect>),
    /// Nothing is due.
    Settled {
        /// Call `step` again at this time, if nothing changes before.
        wake: Option<Timestamp>,
        /// A child was refused: retry with backoff.
        retry: bool,
    },
}

/// One request to the API server, or one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Take a request with one merge patch on the link (lifecycle#take-in-one-write): write the intent, remove the action, add
    /// the finalizer.
    AcceptAction {
        /// The intent to write.
        intent: Box<Intent>,
        /// Remove the action annotation.
        remove_action: bool,
        /// Add the finalizer with the same patch.
        add_finalizer: bool,
    },
    /// Write the intent again, from `lastAction`.
    WriteIntent {
        /// The intent to write.
        intent: Box<Intent>,
    },
    /// Add the finalizer to the link.
    AddFinalizer,
    /// Remove the finalizer from the link.
    DropFinalizer,
    /// Write the link's status.
    WriteStatus {
        /// The whole new status.
        status: Box<InstanceLinkStatus>,
    },
    /// Delete the link.
    DeleteLink,
    /// Create a child.
    Create {
        /// The child.
        child: DesiredChild,
    },
    /// Change a child. What others added to it stays (contract#additions).
    Replace {
        /// The new content.
        child: DesiredChild,
        /// What the new content removes.
        delta: Box<Delta>,
        /// UID of the observed child.
        uid: String,
        /// Its observed resource version.
        resource_version: String,
    },
    /// Delete a child.
    Delete {
        /// The child.
        key: Key,
        /// Its UID.
        uid: String,
        /// Its observed resource version.
        resource_version: String,
    },
    /// Publish an event, after the other effects of the group have succeeded.
    Publish(Event),
}

/// An event to publish about the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A problem, not a success.
    pub warning: bool,
    /// Reason (`CamelCase`): `ActionAccepted`, why an action was rejected, or a condition's.
    pub reason: String,
    /// The verb, or what the operator was doing.
    pub action: String,
    /// The message.
    pub note: String,
}

impl Event {
    /// The operator deleted a child outside a transition, for this reason.
    pub(crate) fn child_deleted(child: &Key, why: &str) -> Self {
        Self {
            warning: false,
            reason: "ChildDeleted".to_owned(),
            action: "delete".to_owned(),
            note: format!("the operator deleted {child}: {why}"),
        }
    }
}

/// The answer to one effect. A failure that a retry may fix (transport, conflict, overload) ends the pass instead.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The link after the write.
    Link(Box<InstanceLink>),
    /// The link is gone, or was replaced by another with its name.
    LinkGone,
    /// A child after a write.
    Child(ObservedChild),
    /// A child that was read: after a refused creation, the existing object with its name.
    Found(ObservedChild),
    /// A child that is gone.
    ChildGone(Key),
    /// A child's write was refused.
    Refused(Key, Refusal),
    /// A child's update was refused because a field cannot be changed. With the text of the answer.
    Unchangeable(Key, String),
    /// Nothing to record.
    Done,
}

impl Snapshot {
    /// Adds an answer to the snapshot, so that the next step sees it.
    pub fn fold(&mut self, answer: Answer) {
        match answer {
            Answer::Link(object) => {
                self.link.object = *object;
                // A status that cannot be read was written again.
                self.link.unusable.take_if(|why| why.status_field().is_some());
            }
            Answer::LinkGone | Answer::Done => {}
            Answer::Refused(key, refusal) => {
                self.refusals.insert(key, refusal);
            }
            Answer::Unchangeable(key, why) => {
                self.disputes.unchangeable.insert(key, why);
            }
            Answer::ChildGone(key) => {
                self.disputes.unchangeable.remove(&key);
                self.children.forget(&key);
            }
            Answer::Child(child) | Answer::Found(child) => self.children.put(child),
        }
    }
}
