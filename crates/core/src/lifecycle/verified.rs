//! The condition `Verified` of an active link: what its name was seen to lead to. It is advice, so it costs as little as
//! can be: one write when the verdict changes, none while endpoints come and go.

use instancelink_api::State;
use instancelink_api::condition::types;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::{Verdict, dated};
use super::facts::Facts;
use crate::verify::{Lookup, verdict};

/// None where the link is not at rest in active, or was not looked up since it is.
pub(super) fn condition(f: &Facts<'_>, state: State) -> Option<Condition> {
    if f.deleting || state != State::Active || f.state != State::Active {
        return None;
    }
    let seen = match &f.s.lookup {
        Lookup::Off => return None,
        Lookup::Pending => None,
        // What was seen of an earlier target says nothing of this one.
        Lookup::Seen(seen) => Some(seen).filter(|seen| f.entered_at().is_none_or(|entered| seen.at >= entered)),
    };
    let Some(seen) = seen else {
        return as_before(f);
    };
    let verdict = verdict(seen, &f.s.cluster_domain);
    Some(dated(
        f,
        Verdict {
            type_: types::VERIFIED,
            status: verdict.status,
            reason: verdict.reason,
            message: verdict.message,
        },
    ))
}

/// An operator that has just started has seen nothing yet, and takes its predecessor's word until it has.
fn as_before(f: &Facts<'_>) -> Option<Condition> {
    let old = f.status.conditions.iter().find(|c| c.type_ == types::VERIFIED)?;
    Some(Condition {
        observed_generation: f.link.metadata.generation,
        ..old.clone()
    })
}
