//! Writes in flight: one group that `step` decided on. Each may arrive or be lost, in any order, even after its
//! operator lost the lease.

use crate::object::Object;

/// A group of writes in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    /// Number of the group in the library; 0: none is in flight.
    pub(crate) group: u32,
    /// The writes that have not arrived: a bit each.
    pub(crate) todo: u8,
    /// The objects that have not changed since the decision: a bit each.
    pub(crate) fresh: u8,
}

impl Flight {
    pub(crate) const fn is_empty(self) -> bool {
        self.group == 0
    }

    /// One write has arrived or is lost.
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
