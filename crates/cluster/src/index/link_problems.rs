//! What keeps a link from its goal, by its own conditions: two small values, so that metrics need no link parsed.

use instancelink_api::InstanceLink;
use instancelink_api::condition::{Reason, types};

/// The reason of a condition. A status may have a text that is none of ours, and metrics must have no label of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// One of the operator's reasons.
    Known(Reason),
    /// Another text.
    Other,
}

/// Why a link is not Ready, and why it is Stalled; none where it is not so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The reason of `Ready`, where that is not True.
    pub not_ready: Option<Problem>,
    /// The reason of `Stalled`, where that is True.
    pub stalled: Option<Problem>,
}

impl Problem {
    /// The reason as metrics show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known(reason) => reason.as_str(),
            Self::Other => "Other",
        }
    }

    fn of(reason: &str) -> Self {
        Reason::from_name(reason).map_or(Self::Other, Self::Known)
    }
}

impl Problems {
    pub(super) fn of(link: &InstanceLink) -> Self {
        let conditions = link.status.as_ref().map(|status| status.conditions.as_slice());
        let of_type = |type_: &str| conditions.unwrap_or_default().iter().find(|c| c.type_ == type_);
        let not_ready = match of_type(types::READY) {
            Some(ready) => (ready.status != "True").then(|| Problem::of(&ready.reason)),
            None => Some(Problem::Known(Reason::Pending)),
        };
        let stalled = of_type(types::STALLED).filter(|stalled| stalled.status == "True");
        Self {
            not_ready,
            stalled: stalled.map(|stalled| Problem::of(&stalled.reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(conditions: &serde_json::Value) -> (Option<&'static str>, Option<&'static str>) {
        let link = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "metadata": {},
            "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": "web"}},
            "status": {"state": "active", "conditions": conditions},
        });
        let problems = Problems::of(&serde_json::from_value(link).unwrap());
        (
            problems.not_ready.map(Problem::as_str),
            problems.stalled.map(Problem::as_str),
        )
    }

    fn condition(type_: &str, status: &str, reason: &str) -> serde_json::Value {
        json!({"type": type_, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn a_link_counts_by_the_reasons_of_its_conditions() {
        assert_eq!(problems(&json!([condition("Ready", "True", "Ready")])), (None, None));
        let stalled = json!([
            condition("Ready", "False", "Stalled"),
            condition("Stalled", "True", "NameTaken")
        ]);
        assert_eq!(problems(&stalled), (Some("Stalled"), Some("NameTaken")));
        assert_eq!(
            problems(&json!([])),
            (Some("Pending"), None),
            "nobody has served it yet"
        );
    }

    #[test]
    fn a_text_that_is_no_reason_adds_no_label() {
        let made_up = json!([
            condition("Ready", "False", "x\u{1b}[31m"),
            condition("Stalled", "True", "Whatever")
        ]);
        assert_eq!(problems(&made_up), (Some("Other"), Some("Other")));
    }
}
