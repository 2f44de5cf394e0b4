//! Whether the API server refuses to write the link itself.

use crate::snapshot::Snapshot;

/// After so many refusals in one pass, the link cannot be written. One or two may have a cause that is over at once, such
/// as a webhook or a policy that was just replaced.
pub(super) const REFUSALS: u8 = 3;

/// True if the link cannot be written in this pass.
pub(super) const fn is_refused(snapshot: &Snapshot) -> bool {
    snapshot.link_refusals >= REFUSALS
}
