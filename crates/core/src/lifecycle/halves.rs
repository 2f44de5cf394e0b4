//! The two halves of a link's way through NetworkPolicies: the ingress of the target's pods, and the egress of the source's.
//! Policies of others can close either, and the link opens only what they close (contract#network-policy,
//! contract#egress-policy).

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;

use super::facts::Facts;
use crate::child::{ChildSpec, Policy};
use crate::dataplane;
use crate::refusal::listed;
use crate::resolve::egress::egress_isolation_of;
use crate::resolve::isolation::{Isolation, isolation_of};
use crate::snapshot::Target;

/// One half of the way.
pub(super) enum Half {
    /// No policy of others closes it.
    Open,
    /// These policies of others close it, and the policy of the link opens it.
    Written(BTreeSet<String>),
    /// Policies of others close it, or may, and the link has no policy for it.
    Missing(Reason, String),
}

/// Both halves.
pub(super) struct Halves {
    pub(super) target: Half,
    pub(super) source: Half,
}

impl Halves {
    /// Those of a link that is active and may have policies.
    pub(super) fn of(f: &Facts<'_>, target: &Target) -> Self {
        Self {
            target: of_target(f, target),
            source: of_source(f, target),
        }
    }
}

fn of_target(f: &Facts<'_>, target: &Target) -> Half {
    match isolation_of(f.s, target) {
        Isolation::Isolated(by) if is_written(f, |plan| plan.policy.as_ref()) => Half::Written(by),
        Isolation::Isolated(_) => Half::Missing(
            Reason::Pending,
            "the NetworkPolicy of this link is not written; the condition Programmed says why".to_owned(),
        ),
        Isolation::Shared(pods) => Half::Missing(Reason::SelectsOtherPods, dataplane::selects_others(target, &pods)),
        Isolation::Partly(open) => Half::Missing(
            Reason::TargetNotIsolated,
            format!(
                "NetworkPolicies isolate only some of the target's pods and not these: {}. The link writes no NetworkPolicy, \
                 because it would isolate them too; let the policies select all pods of the target, or none",
                listed(&open)
            ),
        ),
        Isolation::Open => Half::Open,
        Isolation::TooCostly => Half::Missing(
            Reason::TooCostly,
            "the target's namespace has so many pods and NetworkPolicies, or pods with so many labels, that the operator does \
             not compare them, because the links of others would wait; so it cannot tell whether the target's pods are \
             isolated, and the link writes no NetworkPolicy. Let fewer policies select the pods, or write networkPolicy: None"
                .to_owned(),
        ),
    }
}

fn of_source(f: &Facts<'_>, target: &Target) -> Half {
    let Some(source) = f.s.source.as_ref() else {
        return Half::Open;
    };
    match egress_isolation_of(f.s, source, target) {
        Isolation::Isolated(by) if is_written(f, |plan| plan.egress.as_ref()) => Half::Written(by),
        Isolation::Isolated(by) => Half::Missing(
            Reason::Pending,
            format!(
                "NetworkPolicies isolate the source's pods for egress ({}), and the NetworkPolicy of this link that lets them \
                 out is not written; the condition Programmed says why",
                listed(&by)
            ),
        ),
        Isolation::Shared(pods) => Half::Missing(Reason::SelectsOtherPods, dataplane::selects_others(target, &pods)),
        Isolation::Partly(open) => Half::Missing(
            Reason::SourceNotIsolated,
            format!(
                "NetworkPolicies isolate for egress only some of the pods with the labels of the source and not these: {}. The \
                 link writes no NetworkPolicy for egress, because it would isolate them too; let the policies select all these \
                 pods, or none, or allow egress to the target in a policy of your own",
                listed(&open)
            ),
        ),
        Isolation::Open => Half::Open,
        Isolation::TooCostly => Half::Missing(
            Reason::TooCostly,
            "the source's namespace has so many pods and NetworkPolicies, or pods with so many labels, that the operator does \
             not compare them, because the links of others would wait; so it cannot tell whether the source's pods are isolated \
             for egress, and the link writes no NetworkPolicy for it. Let fewer policies select the pods, or write networkPolicy: \
             None"
                .to_owned(),
        ),
    }
}

fn is_written<'a>(f: &'a Facts<'_>, of: impl FnOnce(&'a dataplane::Plan<'_>) -> Option<&'a ChildSpec<Policy>>) -> bool {
    let desired = f.plan.as_ref().ok().and_then(of);
    desired.is_some_and(|desired| dataplane::is_written(f.s, desired))
}
