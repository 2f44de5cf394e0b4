//! The condition `Verified` of an active link: what the DNS returned for its alias. It is advice only and costs little: one
//! write when the finding changes, none while endpoints come and go.

use instancelink_api::State;
use instancelink_api::condition::types;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::condition::NewCondition;
use super::facts::Facts;
use crate::verify::{Lookup, finding};

/// `None` if the link is not at rest in active, or was not looked up since then.
pub(super) fn condition(f: &Facts<'_>, state: State) -> Option<Condition> {
    if f.deleting || state != State::Active || f.state != State::Active {
        return None;
    }
    let seen = match &f.s.lookup {
        Lookup::Off => return None,
        Lookup::Pending => None,
        // An earlier lookup was about an earlier target.
        Lookup::Seen(seen) => Some(seen).filter(|seen| f.entered_at().is_none_or(|entered| seen.at >= entered)),
    };
    let Some(seen) = seen else {
        return as_before(f);
    };
    let finding = finding(seen, &f.s.cluster_domain);
    let condition = NewCondition {
        type_: types::VERIFIED,
        status: finding.status,
        reason: finding.reason,
        message: finding.message,
    };
    Some(condition.dated(f))
}

/// An operator that has just started keeps the condition of the earlier one until it has asked the DNS itself.
fn as_before(f: &Facts<'_>) -> Option<Condition> {
    let old = f.status.conditions.iter().find(|c| c.type_ == types::VERIFIED)?;
    Some(Condition {
        observed_generation: f.link.metadata.generation,
        ..old.clone()
    })
}
