//! The delayed hold (contract#delayed-hold): the source is gone, but its pods still run and need the target to end well. The
//! hold begins when the last of them is gone, and not later than a time after the object went. The condition `HoldDelayed` has
//! the time at which that was seen.

use instancelink_api::State;
use instancelink_api::condition::types;
use jiff::Timestamp;

use super::unwritable::is_refused;
use crate::resolve::former_source::may_wait_in;
use crate::snapshot::Snapshot;

/// The end of the delay; none if the hold for a missing source is not delayed, or not any more.
pub(super) fn until(s: &Snapshot, state: State) -> Option<Timestamp> {
    let runs = s.source.is_none() && s.pods_of_former_source;
    // Where the link cannot be written, no time can be kept.
    let is_kept = !is_refused(s) && !s.namespace.terminating && s.unusable.source.is_none();
    if !runs || !is_kept || !may_wait_in(state) {
        return None;
    }
    let status = s.link.object.status.as_ref();
    let mut conditions = status.iter().flat_map(|status| &status.conditions);
    let seen = conditions.find(|condition| condition.type_ == types::HOLD_DELAYED && condition.status == "True");
    let since = seen.map_or(s.now, |condition| condition.last_transition_time.0);
    let until = since.checked_add(s.source_grace).unwrap_or(Timestamp::MAX);
    (s.now < until).then_some(until)
}

/// What a hold that is delayed says.
pub(super) fn message(s: &Snapshot) -> String {
    format!(
        "does not exist, but its pods still run: the link stays active until the last of them has ended, and {} s at most; \
         create it again, or delete this link",
        s.source_grace.as_secs()
    )
}
