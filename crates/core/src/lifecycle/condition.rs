//! One condition: what it says now, and the date that it gets from the status before.

use instancelink_api::condition::Reason;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::facts::Facts;
use super::message::bounded;
use crate::time::second;

/// A condition without its dates.
pub(super) struct NewCondition {
    pub(super) type_: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl NewCondition {
    /// With its dates. `lastTransitionTime` changes only with the status.
    pub(super) fn dated(self, f: &Facts<'_>) -> Condition {
        let since = f
            .status
            .conditions
            .iter()
            .find(|old| old.type_ == self.type_ && old.status == self.status)
            .map_or_else(|| second(f.s.now), |old| old.last_transition_time.clone());
        Condition {
            type_: self.type_.to_owned(),
            status: self.status.to_owned(),
            reason: self.reason.as_str().to_owned(),
            message: bounded(self.message),
            observed_generation: f.link.metadata.generation,
            last_transition_time: since,
        }
    }
}
