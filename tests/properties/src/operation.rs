//! Operations: what users and the cluster do to a link, one after the other.
//!
//! Drawn here, done to the real lifecycle in `drive`, foretold in `model`. Plain data, so that a failing sequence prints
//! as what it is and shrinks.

use instancelink_api::spec::DesiredState;
use instancelink_api::{State, Verb};
use proptest::prelude::*;

/// One thing that happens, after which the operator works until nothing is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `kubectl annotate --overwrite`.
    Annotate(Value),
    /// The action annotation is taken away, as a tool that prunes does.
    Unannotate,
    /// An edit of the spec.
    Edit(Edit),
    /// `kubectl delete`.
    Delete,
    /// A backup dropped the status.
    WipeStatus,
    /// `kubectl replace` with a bare manifest dropped the annotations.
    StripAnnotations,
    /// Somebody took the finalizer away.
    StripFinalizer,
    /// Somebody deleted the slices.
    LoseSlices,
    /// Time passes, in seconds.
    Time(i64),
    /// Something around the link changes.
    Around(Change),
}

/// What is written into the action annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A verb, with an id or none.
    Action(Verb, Option<u8>),
    /// Something outside the grammar.
    Bogus(u8),
    /// Nothing.
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
    /// `publishNotReadyAddresses`: an update.
    Publish(bool),
    /// `description`: no update.
    Describe(u8),
    /// `targetInstanceRef`: an update.
    Target(Lead),
    /// `addressing`: an update, and `ServiceIP` cannot be served for a Deployment.
    Addressing(Way),
    /// `deactivation.drainSeconds`.
    Drain(i64),
    /// `activation.targetWaitSeconds`.
    Wait(i64),
    /// `ttlSecondsAfterRemoved`.
    TtlRemoved(Option<i64>),
    /// `ttlSecondsAfterPurged`.
    TtlPurged(i64),
}

/// Where the link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// To the Deployment `pg` of its own namespace.
    Here,
    /// To the one of another namespace.
    Elsewhere,
    /// Nowhere.
    Nowhere,
}

/// How it leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By default.
    Auto,
    /// By an address that a Deployment has not.
    ServiceIP,
    /// By a cluster IP of the link's own.
    VirtualIP,
}

/// A change of what is around the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The source is gone.
    SourceGone,
    /// The source is being deleted.
    SourceTerminating,
    /// The source is there: the first one, or another of its name.
    Source(bool),
    /// The targets are gone.
    TargetGone,
    /// The targets are there, ready or not.
    Target(bool),
    /// The other namespace consents, or not.
    Grant(bool),
    /// Another link wants the same alias (or, of another kind of source, the same directory).
    Rival(Rival),
    /// It is gone.
    NoRival,
}

/// Another link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Where it is in its life.
    pub state: State,
    /// It has children.
    pub has_children: bool,
    /// Created so many seconds before the link.
    pub older_by: i64,
    /// Its source is of the same kind, so that it contends for the alias.
    pub same_kind: bool,
}

/// Draws one operation.
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
        4 => prop::sample::select(vec![Lead::Here, Lead::Here, Lead::Elsewhere, Lead::Nowhere]).prop_map(Edit::Target),
        3 => prop::sample::select(vec![Way::Auto, Way::Auto, Way::ServiceIP, Way::VirtualIP]).prop_map(Edit::Addressing),
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
        // A link at rest below has none; one on its way may.
        has_children: up
            && matches!(
                state,
                State::Activating | State::Active | State::UpdatingActive | State::Deactivating
            ),
        older_by,
        same_kind,
    })
}
