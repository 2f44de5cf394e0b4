//! The questions that the model asks core, as small values: equal questions are answered once.

use crate::promise::Broken;
use crate::state::{ChildNumber, LinkNumber};
use crate::surroundings::Surroundings;

/// The decision of `step` about a link in a view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    /// Number of the group of writes that is due; 0: none.
    pub(crate) group: u32,
    pub(crate) broken: Broken,
}

/// What a decision of `step` depends on: the part of a view that concerns the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) link: u8,
    pub(crate) object: LinkNumber,
    /// Number of the other link as a sibling sees it.
    pub(crate) sibling: u32,
    pub(crate) sibling_has_children: bool,
    /// The shared children, and those of this link.
    pub(crate) children: [ChildNumber; 4],
    pub(crate) around: Surroundings,
}

/// What the verdict of a sweep depends on: a child, the links that the caches know, and the links that exist, a bit
/// each.
pub(crate) type SweepQuestion = (ChildNumber, u8, u8);
