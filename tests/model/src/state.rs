//! One state of everything: what is in the API server, what each operator believes and has on its way, and what was
//! promised to users.

use crate::flight::Flight;
use crate::promise::Broken;
use crate::scope::Budget;
use crate::slots::SLOTS;
use crate::surroundings::Surroundings;

/// Number of a link's object in the library; 0: there is none.
pub(crate) type LinkNumber = u32;
/// Number of a child; 0: there is none.
pub(crate) type ChildNumber = u16;

/// What may have been written into each place.
pub(crate) type UnconfirmedWrites = [ChildNumber; SLOTS];
/// There is nothing of the kind.
pub(crate) const CERTAIN: UnconfirmedWrites = [0; SLOTS];
/// One of several.
pub(crate) const SEVERAL: ChildNumber = ChildNumber::MAX;

/// What is in the API server, or in the caches of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cluster {
    pub(crate) links: [LinkNumber; 2],
    pub(crate) children: [ChildNumber; SLOTS],
    pub(crate) around: Surroundings,
}

/// An operator: what its caches show, and the writes that it decided on and that are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) view: Cluster,
    pub(crate) flight: Flight,
}

/// What a sequential reading of the accepted actions says that a link must remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    /// What the last accepted action asked for: 0 none, else a [`instancelink_api::Desired`] and one.
    pub(crate) desired: u8,
    /// The action with an id was taken.
    pub(crate) handled: bool,
}

/// The account of one link, in the two copies that may be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    pub(crate) taken: Account,
    pub(crate) acknowledged: Account,
}

/// One state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) truth: Cluster,
    pub(crate) operators: [Operator; 2],
    /// Which operator holds the lease.
    pub(crate) leader: u8,
    pub(crate) ledgers: [Ledger; 2],
    pub(crate) left: Budget,
    /// What the leader wrote into each place without knowing whether it arrived; 0: nothing.
    pub(crate) doubts: UnconfirmedWrites,
    /// Links that were created a second time: a bit each.
    pub(crate) recreated: u8,
    /// Children that a request of a former leader wrote: a bit each.
    pub(crate) strays: u8,
    /// Links' entries in the environment that such a request wrote: a bit each.
    pub(crate) stray_entries: u8,
    /// What a step on the way here broke.
    pub(crate) broken: Broken,
}

impl State {
    /// What a link is from now on.
    pub(crate) fn put_link(&mut self, link: usize, number: LinkNumber) {
        self.truth.links[link] = number;
        if number == 0 {
            self.ledgers[link] = Ledger::default();
        }
        self.written(Object::Link(link as u8));
    }

    /// Somebody wrote an object: requests on their way that were decided on an older one will be refused.
    pub(crate) fn written(&mut self, object: Object) {
        for operator in &mut self.operators {
            operator.flight.outdate(object);
        }
    }
}

/// An object that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Link(u8),
    Child(u8),
}

impl Object {
    /// Its bit among all of them.
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::Link(link) => 1 << link,
            Self::Child(slot) => 1 << (slot + 2),
        }
    }
}
