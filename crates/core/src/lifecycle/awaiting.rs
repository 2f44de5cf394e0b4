//! A link of a kind whose objects are not known yet, or to a name whose addresses are not (lifecycle#unknown-kinds-wait). Nothing starts and nothing ends; a new
//! link whose wait lasts says what it waits for.

use instancelink_api::State;
use instancelink_api::condition::types;
use jiff::SignedDuration;

use crate::effect::{Effect, Step};
use crate::snapshot::{Snapshot, Unlisted};

/// A list takes less, as a rule. A write for each link of a kind would be wasted.
const LONG: SignedDuration = SignedDuration::from_secs(10);

/// The step of a link that waits for the list of a kind.
pub(crate) fn step(s: &Snapshot) -> Step {
    let link = &s.link.object;
    let settled = |wake| Step::Settled { wake, retry: false };
    let created = link.metadata.creation_timestamp.as_ref();
    let says_at = created.and_then(|created| created.0.checked_add(LONG).ok());
    if link.state() != State::Requested {
        return settled(None);
    }
    if let Some(at) = says_at.filter(|at| s.now < *at) {
        return settled(Some(at));
    }
    let mut status = link.status.clone().unwrap_or_default();
    let ready = status.conditions.iter_mut().find(|c| c.type_ == types::READY);
    let Some(ready) = ready.filter(|ready| ready.message != message(s)) else {
        return settled(None);
    };
    ready.message = message(s);
    Step::Act(vec![Effect::WriteStatus {
        status: Box::new(status),
    }])
}

fn message(s: &Snapshot) -> String {
    let mut kinds = s.unlisted.iter().filter(|(_, why)| **why == Unlisted::Pending);
    let Some(kind) = kinds.next().map(|(kind, _)| kind.to_string()) else {
        return "the DNS has not answered yet for the externalName of the target. If that lasts, look for the reason in the \
                operator's log: kubectl -n instancelink-system logs deployment/instancelink"
            .to_owned();
    };
    format!(
        "the operator has no list of the kind {kind} yet, so it does not know whether the instance exists. If that \
         lasts, look for the reason in the operator's log: kubectl -n instancelink-system logs deployment/instancelink"
    )
}
