//! The objects of the model: two links and six places of children, a bit each.

/// An object that an operator writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Link(u8),
    Child(u8),
}

impl Object {
    /// Its bit.
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::Link(link) => 1 << link,
            Self::Child(slot) => 1 << (slot + 2),
        }
    }
}
