//! A scope: the links, the initial states, what can happen, and how often. Within it every schedule is explored.

use crate::mutant::Mutant;
use crate::surroundings::Change;
use crate::user::User;

/// How often each kind of event may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Actions of users.
    pub users: u8,
    /// Changes of the surroundings.
    pub changes: u8,
    /// Crashes, lost answers, failed requests.
    pub faults: u8,
    /// Changes of the leader.
    pub failovers: u8,
}

/// The state of the caches of an operator that gets the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// Any earlier state.
    Old,
    /// The same, but the children are current: they are listed first.
    ChildrenListed,
    /// The current state.
    Current,
}

/// A scope.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name, in a few words.
    pub name: &'static str,
    /// The specs of the two links in YAML. If the second is empty, there is one link.
    pub specs: [&'static str; 2],
    /// The initial states: what users did after the creation of the links, each brought to rest.
    pub starts: Vec<Vec<User>>,
    /// The possible actions of users.
    pub users: Vec<User>,
    /// The possible changes of the surroundings.
    pub changes: Vec<Change>,
    /// How often each may happen.
    pub budget: Budget,
    /// The state of the caches of an operator that gets the lease.
    pub takeover: Takeover,
    /// A seeded bug.
    pub mutant: Option<Mutant>,
}

impl Scope {
    /// True if both links have the same alias and source.
    pub(crate) fn is_one_alias(&self) -> bool {
        let of = |spec: &str, key: &str| spec.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        let [one, other] = self.specs;
        ["linkName", "instanceRef"]
            .iter()
            .all(|key| of(one, key) == of(other, key))
    }
}
