//! A scope: which links, how it begins, what may happen, and how often. Within it everything is explored.

use crate::mutant::Mutant;
use crate::surroundings::Change;
use crate::user::User;

/// How often things may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// What users do.
    pub users: u8,
    /// What changes around the links.
    pub changes: u8,
    /// Crashes, lost answers, failed requests.
    pub faults: u8,
    /// Times that the lease goes to the other operator.
    pub failovers: u8,
}

/// What the caches show of an operator that takes over the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// What they showed at some time before.
    Old,
    /// The same, but for children, which it lists first.
    ChildrenListed,
    /// What there is.
    Present,
}

/// What is explored.
#[derive(Clone, Debug)]
pub struct Scope {
    /// In a few words.
    pub name: &'static str,
    /// Specs of the two links, as a user writes them; a second that is empty: there is one link.
    pub specs: [&'static str; 2],
    /// What users did before it begins, each from the creation of the links, each brought to rest.
    pub starts: Vec<Vec<User>>,
    /// What users may do.
    pub users: Vec<User>,
    /// What may change around the links.
    pub changes: Vec<Change>,
    /// How often.
    pub budget: Budget,
    /// What the caches show of an operator that takes over the lease.
    pub takeover: Takeover,
    /// A bug that is put in, to see it found.
    pub mutant: Option<Mutant>,
}

impl Scope {
    /// Both links are of one alias of one source.
    pub(crate) fn is_one_alias(&self) -> bool {
        let of = |spec: &str, key: &str| spec.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        let [one, other] = self.specs;
        ["linkName", "instanceRef"]
            .iter()
            .all(|key| of(one, key) == of(other, key))
    }
}
