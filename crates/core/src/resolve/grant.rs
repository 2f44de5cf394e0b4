//! Reads an `InstanceLinkGrant`: the entries that can consent, and what its status says of the others
//! (contract#invalid-grants).

use std::collections::BTreeSet;

use instancelink_api::condition::{Reason, types};
use instancelink_api::grant::{GrantFrom, GrantTo, InstanceLinkGrant, InstanceLinkGrantStatus};
use instancelink_api::reference::default_api_version;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::selector_problem::problem_of;
use crate::snapshot::{Grant, Origin, Unusable};
use crate::time::second;

/// How many entries a message names.
const NAMED: usize = 4;

impl From<InstanceLinkGrant> for Grant {
    /// The grant without its invalid entries: they consent to nothing.
    fn from(object: InstanceLinkGrant) -> Self {
        let (meta, spec) = (object.metadata, object.spec);
        let accepted = object.status.unwrap_or_default().conditions;
        let (from, wrong_from) = sorted(spec.from, "from", problem_of_from);
        let (to, wrong_to) = sorted(spec.to, "to", problem_of_to);
        Self {
            namespace: meta.namespace.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            terminating: meta.deletion_timestamp.is_some(),
            from: from.iter().filter_map(origin_of).collect(),
            to,
            allow: spec.allow.into_iter().collect(),
            generation: meta.generation,
            problem: message_of(wrong_from.into_iter().chain(wrong_to).collect()),
            accepted: accepted.into_iter().find(|c| c.type_ == types::ACCEPTED),
        }
    }
}

impl Grant {
    /// A grant that cannot be read: it consents to nothing, and its status says so.
    #[must_use]
    pub fn unusable(self, why: &Unusable) -> Self {
        Self {
            from: Vec::new(),
            to: Vec::new(),
            allow: BTreeSet::new(),
            problem: Some(format!(
                "{why}, so this grant consents to nothing; {}, or create the grant again",
                why.next_step()
            )),
            ..self
        }
    }

    /// True if the other version of this grant consents to the same.
    pub fn consents_as(&self, other: &Self) -> bool {
        let consent = |grant: &Self| (grant.uid.clone(), grant.terminating, grant.allow.clone());
        consent(self) == consent(other) && self.from == other.from && self.to == other.to
    }
}

/// The status that the grant should have; none if it has it already.
pub fn status_due(grant: &Grant, now: Timestamp) -> Option<InstanceLinkGrantStatus> {
    let (status, reason, message) = match &grant.problem {
        None => ("True", Reason::Accepted, "all entries are valid"),
        Some(problem) => ("False", Reason::InvalidEntries, problem.as_str()),
    };
    let old = grant.accepted.as_ref();
    let since = old
        .filter(|old| old.status == status)
        .map(|old| old.last_transition_time.clone());
    let new = Condition {
        type_: types::ACCEPTED.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.to_owned(),
        observed_generation: grant.generation,
        last_transition_time: since.unwrap_or_else(|| second(now)),
    };
    (old != Some(&new) && !grant.terminating).then(|| InstanceLinkGrantStatus { conditions: vec![new] })
}

/// The valid entries, and what is wrong with the others.
fn sorted<T>(entries: Vec<T>, list: &str, problem: impl Fn(&T) -> Option<String>) -> (Vec<T>, Vec<String>) {
    let (mut valid, mut wrong) = (Vec::new(), Vec::new());
    for (index, entry) in entries.into_iter().enumerate() {
        match problem(&entry) {
            None => valid.push(entry),
            Some(problem) => wrong.push(format!("spec.{list}[{index}]{problem}")),
        }
    }
    (valid, wrong)
}

fn origin_of(from: &GrantFrom) -> Option<Origin> {
    match (&from.namespace, &from.namespace_selector) {
        (Some(name), None) => Some(Origin::Namespace(name.clone())),
        (None, Some(selector)) => Some(Origin::Selected(selector.into())),
        _ => None,
    }
}

fn problem_of_from(from: &GrantFrom) -> Option<String> {
    match (&from.namespace, &from.namespace_selector) {
        (Some(_), None) => None,
        (None, Some(selector)) => problem_of(selector).map(|problem| format!(".namespaceSelector.{problem}")),
        _ => Some(" needs exactly one of namespace and namespaceSelector; write e.g. namespace: shop".to_owned()),
    }
}

fn problem_of_to(to: &GrantTo) -> Option<String> {
    let unknown = to.group.is_none() && default_api_version(&to.kind).is_none();
    unknown.then(|| " has a kind of another API group; write its group".to_owned())
}

fn message_of(wrong: Vec<String>) -> Option<String> {
    let more = wrong.len().saturating_sub(NAMED);
    let rest = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    let named: Vec<String> = wrong.into_iter().take(NAMED).collect();
    (!named.is_empty()).then(|| {
        format!(
            "these entries are not valid, so they consent to nothing: {}{rest}",
            named.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn grant(spec: &str) -> Grant {
        let mut object = InstanceLinkGrant::new("grant", serde_yaml_ng::from_str(spec).unwrap());
        object.metadata.generation = Some(3);
        Grant::from(object)
    }

    fn now() -> Timestamp {
        fixture::NOW.parse().unwrap()
    }

    fn accepted(grant: &Grant) -> Condition {
        status_due(grant, now()).unwrap().conditions.remove(0)
    }

    /// contract#grant-status
    #[test]
    fn a_valid_grant_is_accepted_and_written_once() {
        let mut grant = grant("{from: [{namespaceSelector: {}}, {namespace: shop}], to: [{kind: Pod}]}");
        let condition = accepted(&grant);
        assert_eq!(
            (condition.status.as_str(), condition.observed_generation),
            ("True", Some(3))
        );
        grant.accepted = Some(condition);
        assert_eq!(status_due(&grant, now()), None);
        grant.generation = Some(4);
        assert!(status_due(&grant, now()).is_some(), "a new generation");
        grant.terminating = true;
        assert_eq!(status_due(&grant, now()), None, "nothing is said of a grant that goes");
    }

    /// contract#invalid-grants
    #[test]
    fn an_invalid_entry_consents_to_nothing_and_the_status_names_it() {
        let grant = grant(
            "{from: [{namespace: shop}, {namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: []}]}}, {}],
              to: [{kind: Rollout}, {kind: Pod}]}",
        );
        assert_eq!((grant.from.len(), grant.to.len()), (1, 1));
        let condition = accepted(&grant);
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            ("False", "InvalidEntries")
        );
        for said in [
            "spec.from[1].namespaceSelector.matchExpressions[0]: NotIn needs values",
            "spec.from[2] needs exactly one",
            "spec.to[0] has a kind of another API group",
        ] {
            assert!(condition.message.contains(said), "{said}: {}", condition.message);
        }
    }

    /// contract#unusable-objects
    #[test]
    fn a_grant_that_cannot_be_read_consents_to_nothing_and_its_status_names_the_field() {
        let grant = grant("{from: [{namespace: shop}], to: [{kind: Pod}]}");
        let grant = grant.unusable(&Unusable::unreadable("spec.allow", "a sequence"));
        assert!(grant.from.is_empty() && grant.to.is_empty() && grant.allow.is_empty());
        let condition = accepted(&grant);
        assert_eq!(condition.status, "False");
        assert!(
            condition.message.starts_with("the field spec.allow cannot be read"),
            "{}",
            condition.message
        );
    }

    #[test]
    fn the_time_of_the_condition_changes_only_with_its_status() {
        let bad = |n: usize| {
            format!(
                "{{from: [{{namespace: a}}, {}], to: [{{kind: Pod}}]}}",
                vec!["{}"; n].join(", ")
            )
        };
        let mut first = grant(&bad(1));
        let condition = accepted(&first);
        first.accepted = Some(condition.clone());
        let later = now() + jiff::SignedDuration::from_secs(60);
        let second = Grant {
            accepted: first.accepted.clone(),
            ..grant(&bad(30))
        };
        let rewritten = status_due(&second, later).unwrap().conditions.remove(0);
        assert_eq!(rewritten.last_transition_time, condition.last_transition_time);
        assert!(rewritten.message.ends_with("; and 26 more") && rewritten.message.len() < 2000);
    }
}
