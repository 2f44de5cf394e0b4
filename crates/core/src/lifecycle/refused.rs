//! What goes on while the API server refuses to write the link itself (lifecycle#refused-link-write).
//!
//! Such a write may be refused for good, for example because the object is too large with it, and the author of the link
//! can bring that about. What others rely on must not wait for it: a cut for lost consent, a deletion, and that no
//! endpoint is kept whose pod is gone.

use instancelink_api::{InstanceLink, State};

use super::facts::Facts;
use super::next_step::NextStep;
use super::unwritable::{REFUSALS, is_refused};
use super::wait::Wait;
use super::walk;
use super::write_status;
use crate::dataplane;
use crate::effect::{Effect, Step};
use crate::snapshot::Snapshot;

/// Takes the refusal of an effect into the snapshot. False if the effect does not write the link, or removes the finalizer
/// or the object: then nothing goes on.
///
/// The write is tried again at once. If it cannot be written, a state in which children go counts as written, so that its
/// work begins. All other states do not.
pub fn refuse(snapshot: &mut Snapshot, effect: &Effect) -> bool {
    refuse_times(snapshot, effect, 1)
}

/// The same for a write that admission undid. It would do that again, and each write costs.
pub(super) fn refuse_undone(snapshot: &mut Snapshot, effect: &Effect) -> bool {
    refuse_times(snapshot, effect, REFUSALS)
}

fn refuse_times(snapshot: &mut Snapshot, effect: &Effect, times: u8) -> bool {
    let status = match effect {
        Effect::AcceptAction { .. } | Effect::WriteIntent { .. } | Effect::AddFinalizer => None,
        Effect::WriteStatus { status } => Some(status),
        Effect::DropFinalizer
        | Effect::DeleteLink
        | Effect::Create { .. }
        | Effect::Replace { .. }
        | Effect::Delete { .. }
        | Effect::Publish(_) => return false,
    };
    snapshot.link_refusals = snapshot.link_refusals.saturating_add(times);
    if let Some(status) = status
        && is_refused(snapshot)
        && needs_no_write(&snapshot.link.object, status.state)
    {
        snapshot.link.object.status = Some((**status).clone());
    }
    true
}

/// The next group of writes after a refusal in this pass. Nothing is begun whose state is not written.
pub(super) fn step(f: &Facts<'_>) -> Step {
    match walk::next_step(f) {
        NextStep::Enter(state) if needs_no_write(f.link, state) => {
            return Step::Act(write_status(f, state, &Wait::default()));
        }
        // Children that exist are repaired and removed. Without the finalizer, none is created.
        NextStep::Work(effects) if walk::has_finalizer(f) || needs_no_write(f.link, f.state) => {
            return Step::Act(effects);
        }
        NextStep::Rest(wait) => {
            return Step::Settled {
                wake: wait.wake,
                retry: true,
            };
        }
        NextStep::Enter(_) | NextStep::Work(_) => {}
    }
    let shrunk = dataplane::prune(f.s);
    if shrunk.is_empty() {
        Step::Settled {
            wake: None,
            retry: true,
        }
    } else {
        Step::Act(shrunk)
    }
}

fn needs_no_write(link: &InstanceLink, state: State) -> bool {
    link.metadata.deletion_timestamp.is_some()
        || matches!(state, State::Deactivating | State::Removing | State::Purging)
}
