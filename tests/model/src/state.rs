//! A state of the model: the objects in the API server, the view and the requests in flight of each operator, and the
//! accepted actions of users.

use crate::flight::Flight;
use crate::object::Object;
use crate::promise::Broken;
use crate::scope::Budget;
use crate::slots::SLOTS;
use crate::surroundings::Surroundings;

/// Number of a link in the library; 0: none.
pub(crate) type LinkNumber = u32;
/// Number of a child in the library; 0: none.
pub(crate) type ChildNumber = u16;

/// The unconfirmed write of each slot; 0: none.
pub(crate) type UnconfirmedWrites = [ChildNumber; SLOTS];
/// No unconfirmed writes.
pub(crate) const CONFIRMED: UnconfirmedWrites = [0; SLOTS];
/// Several unconfirmed writes of one slot.
pub(crate) const SEVERAL: ChildNumber = ChildNumber::MAX;

/// The objects in the API server, or in the caches of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cluster {
    pub(crate) links: [LinkNumber; 2],
    pub(crate) children: [ChildNumber; SLOTS],
    pub(crate) around: Surroundings,
}

/// An operator: its caches, and its writes in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) view: Cluster,
    pub(crate) flight: Flight,
}

/// What a link must remember after its accepted actions, in sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    /// The desired state of the last accepted action: 0 for none, else [`instancelink_api::Desired`] plus one.
    pub(crate) desired: u8,
    /// The action with an id was taken.
    pub(crate) handled: bool,
}

/// The account of one link, as taken and as acknowledged. Each copy may be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    pub(crate) taken: Account,
    pub(crate) acknowledged: Account,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) truth: Cluster,
    pub(crate) operators: [Operator; 2],
    /// The operator that holds the lease.
    pub(crate) leader: u8,
    pub(crate) ledgers: [Ledger; 2],
    pub(crate) left: Budget,
    /// Writes of the leader that got no answer.
    pub(crate) unconfirmed: UnconfirmedWrites,
    /// Links that were recreated: a bit each.
    pub(crate) recreated: u8,
    /// Children that a late request of a former leader wrote: a bit each.
    pub(crate) late_children: u8,
    /// Entries in the environment that such a request wrote: a bit for each life.
    pub(crate) late_entries: u8,
    /// Promises that were broken on the path to this state.
    pub(crate) broken: Broken,
}

impl State {
    /// Stores a link.
    pub(crate) fn put_link(&mut self, link: usize, number: LinkNumber) {
        self.truth.links[link] = number;
        if number == 0 {
            self.ledgers[link] = Ledger::default();
        }
        self.written(Object::Link(link as u8));
    }

    /// Records that an object changed: requests in flight that are based on the old version will be refused.
    pub(crate) fn written(&mut self, object: Object) {
        for operator in &mut self.operators {
            operator.flight.outdate(object);
        }
    }
}
