//! The result of a write to a link.

use crate::promise::Broken;
use crate::state::LinkNumber;

/// The result of a write to a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// The link after the write; 0: it is gone.
    pub(crate) link: LinkNumber,
    pub(crate) broken: Broken,
    pub(crate) meaning: Meaning,
}

/// What a write means for the account of the link's actions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    Nothing,
    /// A request was taken: the desired state from then on (0: as before), and whether it had an id.
    Taken {
        desired: u8,
        with_id: bool,
    },
    Acknowledged,
    /// The finalizer was removed.
    FinalizerDropped,
}
