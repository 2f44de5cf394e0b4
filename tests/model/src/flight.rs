//! Writes on their way: one group that `step` decided on. Each may arrive, or not, in any order, and long after its
//! operator has stopped leading.

use crate::state::Object;

/// A group of writes on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    /// Number of the group in the library; 0: nothing is on its way.
    pub(crate) group: u32,
    /// Which writes of the group are still to arrive: a bit each.
    pub(crate) todo: u8,
    /// The objects that are still as they were when the group was decided on.
    pub(crate) fresh: u8,
}

impl Flight {
    pub(crate) const fn is_empty(self) -> bool {
        self.group == 0
    }

    /// One write has arrived, or never will.
    pub(crate) fn done(&mut self, write: u8) {
        self.todo &= !(1 << write);
        if self.todo == 0 {
            *self = Self::default();
        }
    }

    pub(crate) fn outdate(&mut self, object: Object) {
        self.fresh &= !object.bit();
    }

    pub(crate) const fn is_fresh(self, object: Object) -> bool {
        self.fresh & object.bit() != 0
    }
}
