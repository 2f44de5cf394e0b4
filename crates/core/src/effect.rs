//! What a decision may ask for, and what comes back.

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent};
use jiff::Timestamp;

use crate::child::{DesiredChild, Key, ObservedChild};
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// The answer of `step`: the next group of writes, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Writes that are independent of each other: execute them all, fold the answers, ask again.
    Act(Vec<Effect>),
    /// Nothing is due.
    Settled {
        /// Come back at this time, if nothing changes before.
        wake: Option<Timestamp>,
        /// A child was refused: try again with backoff.
        retry: bool,
    },
}

/// One request. Nothing else touches the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// One merge patch on the link: the intent set, the action removed unless it stays, the finalizer added if missing.
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
    /// Put the finalizer on the link.
    AddFinalizer,
    /// Take the finalizer off the link.
    DropFinalizer,
    /// Patch the link's status into this.
    WriteStatus {
        /// The whole new status.
        status: Box<InstanceLinkStatus>,
    },
    /// Delete the link itself.
    DeleteLink,
    /// Create a child.
    Create {
        /// What to create.
        child: DesiredChild,
    },
    /// Replace a child that stands.
    Replace {
        /// What it shall be.
        child: DesiredChild,
        /// UID of the one that stands.
        uid: String,
        /// Its resource version as seen.
        resource_version: String,
    },
    /// Delete a child that stands.
    Delete {
        /// Which.
        key: Key,
        /// Its UID.
        uid: String,
        /// Its resource version as seen.
        resource_version: String,
    },
    /// Tell the user, once the group's other effects have succeeded.
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
    /// For people.
    pub note: String,
}

/// What came of one effect. Failures that repetition may mend (transport, conflict, overload) end the pass instead.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The link after the write.
    Link(Box<InstanceLink>),
    /// The link does not exist any more, or is another one of its name.
    LinkGone,
    /// A child after a write; or, after a refused creation, what stands under its name.
    Child(ObservedChild),
    /// A child that does not stand any more.
    ChildGone(Key),
    /// A child's write was refused.
    Refused(Key, Refusal),
    /// Nothing to remember.
    Done,
}

impl Snapshot {
    /// Takes an answer into account, so that the next step sees it.
    pub fn fold(&mut self, answer: Answer) {
        match answer {
            Answer::Link(object) => self.link.object = *object,
            Answer::LinkGone | Answer::Done => {}
            Answer::Refused(key, refusal) => {
                self.refusals.insert(key, refusal);
            }
            Answer::ChildGone(key) => self.children.forget(&key),
            Answer::Child(child) => self.children.put(child),
        }
    }
}
