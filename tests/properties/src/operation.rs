//! Operations: what users and the cluster do to a link, in sequence.
//!
//! They are generated here, applied to the real lifecycle in `drive`, and applied to the reference model in `model`.
//! They are plain data, so that a failing sequence can be printed and shrunk.

use instancelink_api::spec::DesiredState;
use instancelink_api::{State, Verb};
use proptest::prelude::*;

/// One event. After it, the operator works until nothing is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `kubectl annotate --overwrite`.
    Annotate(Value),
    /// The action annotation is removed, as a tool that prunes does.
    Unannotate,
    /// An edit of the spec.
    Edit(Edit),
    /// `kubectl delete`.
    Delete,
    /// A restored backup has no status.
    WipeStatus,
    /// `kubectl replace` with a manifest without annotations.
    StripAnnotations,
    /// Another client removes the finalizer.
    StripFinalizer,
    /// Another client deletes the slices.
    LoseSlices,
    /// Time passes, in seconds.
    Time(i64),
    /// The surroundings of the link change.
    Around(Change),
}

/// A value of the action annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A verb, with or without an id.
    Action(Verb, Option<u8>),
    /// A value outside the grammar.
    Bogus(u8),
    /// The empty value.
    Empty,
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Action(verb, None) => write!(f, "{verb}"),
            Self::Action(verb, Some(id)) => write!(f, "{verb}/CHG-{id}"),
            Self::Bogus(n) => write!(f, "please {n}"),
            Self::Empty => Ok(()),
        }
    }
}

/// An edit of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// `desiredState`.
    Desire(Option<DesiredState>),
    /// `publishNotReadyAddresses`, which is an update.
    Publish(bool),
    /// `description`, which is not an update.
    Describe(u8),
    /// `targetInstanceRef`, which is an update.
    Target(Destination),
    /// `addressing`, which is an update. `ServiceIP` cannot be served for a Deployment.
    Addressing(AddressingMode),
    /// `deactivation.drainSeconds`.
    Drain(i64),
    /// `activation.targetWaitSeconds`.
    Wait(i64),
    /// `ttlSecondsAfterRemoved`.
    TtlRemoved(Option<i64>),
    /// `ttlSecondsAfterPurged`.
    TtlPurged(i64),
}

/// The link's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The Deployment `pg` of the link's namespace.
    SameNamespace,
    /// The Deployment `pg` of another namespace.
    OtherNamespace,
    /// No target.
    NoTarget,
}

/// The addressing, with the ports that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressingMode {
    /// `Auto`.
    Auto,
    /// `ServiceIP`, which a Deployment does not have.
    ServiceIP,
    /// `VirtualIP`.
    VirtualIP,
}

/// A change of the surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The source is gone.
    SourceGone,
    /// The source is being deleted.
    SourceTerminating,
    /// The source exists: the first one, or another with its name.
    Source(bool),
    /// The targets are gone.
    TargetGone,
    /// The targets exist, ready or not.
    Target(bool),
    /// The other namespace consents or not.
    Grant(bool),
    /// A rival exists. It competes for the same alias, or for the same directory if its source is of another kind.
    Rival(Rival),
    /// The rival is gone.
    NoRival,
}

/// A rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Its state.
    pub state: State,
    /// It has children.
    pub has_children: bool,
    /// The number of seconds between its creation and the later creation of the link.
    pub older_by: i64,
    /// Its source is of the same kind, so that it competes for the same alias.
    pub same_kind: bool,
}

/// Generates one operation.
pub fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        24 => value().prop_map(Operation::Annotate),
        1 => Just(Operation::Unannotate),
        18 => edit().prop_map(Operation::Edit),
        1 => Just(Operation::Delete),
        3 => Just(Operation::WipeStatus),
        3 => Just(Operation::StripAnnotations),
        1 => Just(Operation::StripFinalizer),
        2 => Just(Operation::LoseSlices),
        8 => prop::sample::select(vec![1_i64, 7, 20, 100, 4000]).prop_map(Operation::Time),
        18 => change().prop_map(Operation::Around),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let verb = prop::sample::select(Verb::ALL.to_vec());
    prop_oneof![
        12 => verb.clone().prop_map(|verb| Value::Action(verb, None)),
        10 => (verb, 0..12_u8).prop_map(|(verb, id)| Value::Action(verb, Some(id))),
        1 => (0..3_u8).prop_map(Value::Bogus),
        1 => Just(Value::Empty),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let desired = vec![None, None, Some(DesiredState::Active), Some(DesiredState::Inactive)];
    prop_oneof![
        4 => prop::sample::select(desired).prop_map(Edit::Desire),
        3 => any::<bool>().prop_map(Edit::Publish),
        1 => (0..3_u8).prop_map(Edit::Describe),
        4 => prop::sample::select(vec![Destination::SameNamespace, Destination::SameNamespace, Destination::OtherNamespace, Destination::NoTarget]).prop_map(Edit::Target),
        3 => prop::sample::select(vec![AddressingMode::Auto, AddressingMode::Auto, AddressingMode::ServiceIP, AddressingMode::VirtualIP]).prop_map(Edit::Addressing),
        2 => prop::sample::select(vec![0_i64, 10, 50]).prop_map(Edit::Drain),
        2 => prop::sample::select(vec![0_i64, 15, 100]).prop_map(Edit::Wait),
        2 => prop::sample::select(vec![None, Some(0_i64), Some(30), Some(1000)]).prop_map(Edit::TtlRemoved),
        1 => prop::sample::select(vec![0_i64, 10, 3600]).prop_map(Edit::TtlPurged),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::SourceGone),
        1 => Just(Change::SourceTerminating),
        5 => prop::bool::weighted(0.7).prop_map(Change::Source),
        2 => Just(Change::TargetGone),
        6 => prop::bool::weighted(0.7).prop_map(Change::Target),
        3 => any::<bool>().prop_map(Change::Grant),
        3 => rival().prop_map(Change::Rival),
        4 => Just(Change::NoRival),
    ]
}

fn rival() -> impl Strategy<Value = Rival> {
    let state = prop::sample::select(State::ALL.to_vec());
    let older_by = prop::sample::select(vec![-100_i64, -5, 0, 5, 100]);
    (state, any::<bool>(), older_by, prop::bool::weighted(0.8)).prop_map(|(state, up, older_by, same_kind)| Rival {
        state,
        // Only links in these states can have children.
        has_children: up
            && matches!(
                state,
                State::Activating | State::Active | State::UpdatingActive | State::Deactivating
            ),
        older_by,
        same_kind,
    })
}
