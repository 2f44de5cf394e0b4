//! The model: a scope, the objects by number, and the answers that were computed for it.

use std::sync::atomic::AtomicU64;

use instancelink_api::InstanceLink;
use instancelink_core::child::ObservedChild;
use instancelink_core::snapshot::Snapshot;

use crate::base::base;
use crate::coverage::Coverage;
use crate::entries::{Child, Link};
use crate::group::Group;
use crate::library::Library;
use crate::memo::Memo;
use crate::normalize::{as_sibling, normalize};
use crate::promise::Broken;
use crate::question::{Decision, Question, SweepQuestion};
use crate::scope::Scope;
use crate::state::{ChildNumber, Cluster, LinkNumber, UnconfirmedWrites};
use crate::user::User;
use crate::written::Written;

/// A scope, with everything that was computed for it.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) scope: Scope,
    /// Both links have the same alias and source.
    pub(crate) one_alias: bool,
    /// Snapshots without and with consent, to be completed.
    pub(crate) bases: [Snapshot; 2],
    pub(crate) links: Library<Link>,
    /// Links as their siblings see them.
    pub(crate) siblings: Library<InstanceLink>,
    pub(crate) children: Library<Child>,
    pub(crate) groups: Library<Group>,
    pub(crate) decisions: Memo<Question, Decision>,
    /// Whether unconfirmed writes must be asked for before a decision is executed.
    pub(crate) asks: Memo<(Question, UnconfirmedWrites), bool>,
    pub(crate) writes: Memo<(LinkNumber, u32, u8), Written>,
    pub(crate) creations: Memo<(u32, u8), ChildNumber>,
    pub(crate) edits: Memo<(LinkNumber, User), Option<LinkNumber>>,
    pub(crate) sweeps: Memo<SweepQuestion, u32>,
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
        let link = normalize(link);
        let text = serde_json::to_string(&link).unwrap();
        self.links.number(text, || {
            let seen = as_sibling(&link);
            let text = serde_json::to_string(&seen).unwrap();
            Link::of(link, self.siblings.number(text, || seen))
        })
    }

    /// The number of a child.
    pub(crate) fn child(&self, observed: ObservedChild) -> ChildNumber {
        let number = self.children.number(format!("{observed:?}"), || Child::of(observed));
        ChildNumber::try_from(number).expect("children are few")
    }
}
