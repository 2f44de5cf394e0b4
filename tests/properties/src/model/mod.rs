//! The reference model: a sequential specification, written from `docs/spec/lifecycle.md` and `docs/spec/contract.md`.
//!
//! It does not use core, snapshots or the contents of children: two facts stand for the children. From a sequence of
//! operations it derives where the link rests, which states a watcher sees, and the result of each request. `agreement`
//! compares that with what the real `step` does.

mod memory;
mod surroundings;
mod table;
mod walk;

use instancelink_api::spec::DesiredState;
use instancelink_api::{Desired, State, Verb, Verdict};

use crate::operation::{AddressingMode, Destination, Edit, Operation, Value};

pub use memory::{Acknowledged, Record};
pub use surroundings::{AGE, Source, Surroundings};
pub use walk::Ready;

use memory::after;
use table::{Outcome, outcome_of};

/// The fields of the spec that the lifecycle depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// `desiredState`.
    pub desired: Option<DesiredState>,
    /// `activation.targetWaitSeconds`.
    pub wait: i64,
    /// `deactivation.drainSeconds`.
    pub drain: i64,
    /// `ttlSecondsAfterRemoved`.
    pub ttl_removed: Option<i64>,
    /// `ttlSecondsAfterPurged`.
    pub ttl_purged: i64,
    /// The fields whose change is an update.
    pub programmed: Programmed,
}

/// The fields whose change is an update, as far as sequences edit them (lifecycle#programmed-hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Programmed {
    /// `targetInstanceRef`.
    pub destination: Destination,
    /// `addressing`; ports are set with `VirtualIP` only, so that both are one edit.
    pub addressing: AddressingMode,
    /// `publishNotReadyAddresses`.
    pub publish: bool,
}

/// The children of the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Children {
    /// The slices, with the time at which they stopped answering.
    pub slices: Option<Option<i64>>,
    /// An entry in the source's environment.
    pub entry: bool,
}

impl Children {
    /// True if the link has children (lifecycle#children).
    pub fn any(self) -> bool {
        self.slices.is_some() || self.entry
    }
}

/// The link and everything that its lifecycle depends on.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of the API object")]
pub struct Model {
    /// Seconds since the sequence began.
    pub now: i64,
    /// The spec.
    pub spec: Spec,
    /// The objects around it.
    pub around: Surroundings,
    /// The action annotation.
    pub annotation: Option<Value>,
    /// The intent annotation.
    pub intent: Option<Record>,
    /// `status.lastAction`.
    pub acknowledged: Option<Acknowledged>,
    /// `status.state`.
    pub state: State,
    /// When the state was entered.
    pub entered: i64,
    /// `status.removed`.
    pub removed: Option<i64>,
    /// The fields behind `programmedHash`.
    pub programmed: Option<Programmed>,
    /// The children.
    pub children: Children,
    /// `deletionTimestamp` is set.
    pub deleting: bool,
    /// The finalizer is there.
    pub finalizer: bool,
    /// The object is gone.
    pub gone: bool,
    /// The status was lost: until the link rests or waits, written states carry their earlier times
    /// (lifecycle#rebuild-lost-memory).
    rebuilding: bool,
    /// The states written since the last call of [`Model::walked`].
    walk: Vec<State>,
    /// Requests taken so far.
    pub taken: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            now: 0,
            spec: Spec {
                desired: None,
                wait: 15,
                drain: 0,
                ttl_removed: None,
                ttl_purged: 3600,
                programmed: Programmed {
                    destination: Destination::SameNamespace,
                    addressing: AddressingMode::Auto,
                    publish: false,
                },
            },
            around: Surroundings::default(),
            annotation: None,
            intent: None,
            acknowledged: None,
            state: State::Requested,
            entered: 0,
            removed: None,
            programmed: None,
            children: Children::default(),
            deleting: false,
            finalizer: false,
            gone: false,
            rebuilding: false,
            walk: Vec::new(),
            taken: 0,
        }
    }
}

impl Model {
    /// Applies an operation, without the operator's reaction.
    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Annotate(value) => self.annotation = Some(value.clone()),
            Operation::Unannotate => self.annotation = None,
            Operation::Edit(edit) => self.edit(*edit),
            Operation::Delete => {
                self.deleting = true;
                self.gone |= !self.finalizer;
            }
            Operation::WipeStatus => {
                self.rebuilding = true;
                self.acknowledged = None;
                self.state = State::Requested;
                self.removed = None;
                self.programmed = None;
            }
            Operation::StripAnnotations => {
                self.annotation = None;
                self.intent = None;
            }
            Operation::StripFinalizer => {
                self.finalizer = false;
                self.gone |= self.deleting;
            }
            Operation::LoseSlices => self.children.slices = None,
            Operation::Time(seconds) => self.now += seconds,
            Operation::Around(change) => self.around.change(*change),
        }
    }

    fn edit(&mut self, edit: Edit) {
        let spec = &mut self.spec;
        match edit {
            Edit::Desire(desired) => spec.desired = desired,
            Edit::Publish(publish) => spec.programmed.publish = publish,
            Edit::Describe(_) => {}
            Edit::Target(destination) => spec.programmed.destination = destination,
            Edit::Addressing(mode) => spec.programmed.addressing = mode,
            Edit::Drain(seconds) => spec.drain = seconds,
            Edit::Wait(seconds) => spec.wait = seconds,
            Edit::TtlRemoved(ttl) => spec.ttl_removed = ttl,
            Edit::TtlPurged(ttl) => spec.ttl_purged = ttl,
        }
    }

    /// The states that a watcher saw since the last call.
    pub fn walked(&mut self) -> Vec<State> {
        std::mem::take(&mut self.walk)
    }

    /// The memory: the copy with the higher `seq` (lifecycle#memory).
    pub fn memory(&self) -> Option<&Record> {
        let acknowledged = self.acknowledged.as_ref().map(|a| &a.record);
        match (&self.intent, acknowledged) {
            (Some(intent), Some(record)) if intent.seq <= record.seq => Some(record),
            (Some(intent), _) => Some(intent),
            (None, record) => record,
        }
    }

    fn is_outstanding(&self) -> bool {
        self.intent_seq() > self.acknowledged_seq()
    }

    fn intent_seq(&self) -> u64 {
        self.intent.as_ref().map_or(0, |record| record.seq)
    }

    fn acknowledged_seq(&self) -> u64 {
        self.acknowledged.as_ref().map_or(0, |a| a.record.seq)
    }

    /// The desired state of the last accepted action.
    pub fn desired(&self) -> Option<Desired> {
        self.memory().and_then(|record| record.desired)
    }

    /// `status.availableActions`.
    pub fn offered(&self) -> Vec<Verb> {
        if self.deleting || self.desired() == Some(Desired::Purged) {
            return Vec::new();
        }
        table::offered(self.state, self.spec.desired.is_some())
    }

    /// The annotation's value, if it is a request (lifecycle#handled-values).
    fn request(&self) -> Option<Value> {
        let value = self.annotation.clone()?;
        let known = match &value {
            Value::Empty => return None,
            Value::Action(_, None) => false,
            Value::Action(_, Some(_)) | Value::Bogus(_) => {
                let kept = kept_as(&value);
                self.memory()
                    .is_some_and(|record| record.handled.iter().any(|handled| Some(handled) == kept.as_ref()))
            }
        };
        (!known).then_some(value)
    }

    /// Takes a request, with its verdict (lifecycle#take-in-one-write).
    fn take(&mut self, value: &Value) {
        let mut record = after(self.memory(), self.now);
        record.action = match value {
            Value::Action(verb, _) => verb.to_string(),
            Value::Bogus(_) | Value::Empty => value.to_string(),
        };
        if let Some(kept) = kept_as(value) {
            record.remember(kept);
        }
        match value {
            Value::Action(verb, _) => {
                match self.verdict(*verb) {
                    Ok(()) => record.accept(*verb),
                    Err(reason) => record.reject(reason),
                }
                let moves = outcome_of(self.state, *verb) == Outcome::Moves;
                if *verb == Verb::Restore && moves && record.reason.is_empty() {
                    record.since = Some(self.now); // lifecycle#earliest-claim-first
                }
                self.annotation = None;
            }
            Value::Bogus(_) | Value::Empty => record.reject("InvalidValue"),
        }
        self.taken += 1;
        self.intent = Some(record);
        self.finalizer |= !self.deleting && self.state != State::Purged;
    }

    /// The first reason for a rejection (lifecycle#rejection-order).
    fn verdict(&self, verb: Verb) -> Result<(), &'static str> {
        let outcome = outcome_of(self.state, verb);
        let purged = self.desired() == Some(Desired::Purged) || matches!(self.state, State::Purging | State::Purged);
        let managed = self.spec.desired.is_some() && matches!(verb, Verb::Activate | Verb::Deactivate);
        if self.deleting {
            Err("Deleting")
        } else if purged && verb != Verb::Purge {
            Err("Purged")
        } else if outcome == Outcome::Rejected {
            Err("NotPossibleNow")
        } else if managed {
            Err("ManagedBySpec")
        } else if verb == Verb::Restore
            && outcome == Outcome::Moves
            && self.around.rival.is_some_and(crate::Rival::claims)
        {
            Err("AliasTaken")
        } else {
            Ok(())
        }
    }
}

/// The form in which a value is remembered; a verb without an id is not.
fn kept_as(value: &Value) -> Option<String> {
    match value {
        Value::Action(_, Some(_)) => Some(value.to_string()),
        Value::Bogus(_) => Some(format!("#{value}")),
        Value::Action(_, None) | Value::Empty => None,
    }
}

/// The verdict on a request of a link that has no `desiredState`, has no rival and is not being deleted.
pub fn verdict_on(state: State, desired: Option<Desired>, verb: Verb) -> Verdict {
    let purged = desired == Some(Desired::Purged) || matches!(state, State::Purging | State::Purged);
    if outcome_of(state, verb) == Outcome::Rejected || (purged && verb != Verb::Purge) {
        Verdict::Rejected
    } else {
        Verdict::Accepted
    }
}
