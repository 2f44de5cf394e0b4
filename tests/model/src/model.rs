//! The model as stateright asks for it: how it begins, what can happen, and what is promised.

use std::sync::atomic::{AtomicU64, Ordering};

use instancelink_api::InstanceLink;
use instancelink_core::child::ObservedChild;
use instancelink_core::snapshot::Snapshot;
use stateright::Property;

use crate::actions::Action;
use crate::coverage::Coverage;
use crate::decide::{Decision, Question};
use crate::digest::{Child, Link};
use crate::library::Library;
use crate::memo::Memo;
use crate::normal::{as_sibling, normal};
use crate::outcome::Group;
use crate::promise::{Broken, Promise};
use crate::scope::Scope;
use crate::snapshot::{base, text_of};
use crate::state::{ChildNumber, Cluster, LinkNumber, State, UnconfirmedWrites};
use crate::sweep::Look;
use crate::user::User;
use crate::write::Written;

/// A scope, with everything that was learnt about it.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) scope: Scope,
    /// Both links are of one alias of one source.
    pub(crate) one_alias: bool,
    /// Snapshots without consent, and with it, to be filled in.
    pub(crate) bases: [Snapshot; 2],
    pub(crate) links: Library<Link>,
    /// Links as their siblings see them.
    pub(crate) siblings: Library<InstanceLink>,
    pub(crate) children: Library<Child>,
    pub(crate) groups: Library<Group>,
    pub(crate) decisions: Memo<Question, Decision>,
    /// With what is in doubt.
    pub(crate) asks: Memo<(Question, UnconfirmedWrites), bool>,
    pub(crate) writes: Memo<(LinkNumber, u32, u8), Written>,
    pub(crate) creations: Memo<(u32, u8), ChildNumber>,
    pub(crate) edits: Memo<(LinkNumber, User), Option<LinkNumber>>,
    pub(crate) sweeps: Memo<Look, u32>,
    pub(crate) rests: Memo<Cluster, Broken>,
    pub(crate) coverage: Coverage,
    pub(crate) faults: AtomicU64,
}

impl Model {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            one_alias: scope.is_one_alias(),
            scope,
            bases: [base(false), base(true)],
            links: Library::new(),
            siblings: Library::new(),
            children: Library::new(),
            groups: Library::new(),
            decisions: Memo::new(),
            asks: Memo::new(),
            writes: Memo::new(),
            creations: Memo::new(),
            edits: Memo::new(),
            sweeps: Memo::new(),
            rests: Memo::new(),
            coverage: Coverage::default(),
            faults: AtomicU64::new(0),
        }
    }

    /// The number of a link.
    pub(crate) fn link(&self, link: InstanceLink) -> LinkNumber {
        let link = normal(link);
        let text = serde_json::to_string(&link).unwrap();
        self.links.number(text, || {
            let seen = as_sibling(&link);
            let text = serde_json::to_string(&seen).unwrap();
            Link::of(link, self.siblings.number(text, || seen))
        })
    }

    /// The number of a child.
    pub(crate) fn child(&self, standing: ObservedChild) -> ChildNumber {
        let number = self.children.number(text_of(&standing), || Child::of(standing));
        ChildNumber::try_from(number).expect("children are few")
    }
}

impl stateright::Model for Model {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.starts()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        if action.is_fault() {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        Some(self.happen(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($($promise:ident),*) => {
                vec![$(Property::always(Promise::$promise.as_str(), |model: &Self, state: &State| {
                    !model.broken(state).contains(Promise::$promise)
                })),*]
            };
        }
        always![
            Edges,
            Actions,
            Bare,
            Content,
            Purged,
            Preconditions,
            Consent,
            Quiet,
            Alias,
            Finalizer,
            Deletion,
            Rest,
            Leaks
        ]
    }
}
