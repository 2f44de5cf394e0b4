//! Egress: whether NetworkPolicies of others isolate the pods of the source for egress, so that a pod of the source reaches
//! the target only if a policy allows it. The rules are those of [`isolation`](super::isolation), at the other end of the
//! link (contract#egress-policy).

use std::sync::Arc;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;

use super::budget::{Budget, TooCostly};
use super::isolation::{Isolation, others_selected};
use super::isolators::Isolated;
use crate::snapshot::{Isolator, Pod, Snapshot, Source, Target};

/// The isolation for egress of all pods that a policy for the source selects, whose ever they are. Without pods, the labels of
/// its selector decide. `Shared` names pods that have the labels of the target and are not the target's.
pub fn egress_isolation_of(s: &Snapshot, source: &Source, target: &Target) -> Isolation {
    isolation_within(&mut Budget::whole(), s, source, target).unwrap_or(Isolation::TooCostly)
}

fn isolation_within(
    budget: &mut Budget,
    s: &Snapshot,
    source: &Source,
    target: &Target,
) -> Result<Isolation, TooCostly> {
    let isolation = source_isolation_within(budget, s, source)?;
    if !matches!(isolation, Isolation::Isolated(_)) {
        return Ok(isolation);
    }
    let others = others_selected(budget, s, target)?;
    Ok(if others.is_empty() {
        isolation
    } else {
        Isolation::Shared(others)
    })
}

/// The isolation for egress of the pods of the source alone.
///
/// # Errors
/// If the budget does not suffice.
pub(crate) fn source_isolation_within(
    budget: &mut Budget,
    s: &Snapshot,
    source: &Source,
) -> Result<Isolation, TooCostly> {
    let isolators: Vec<&Arc<Isolator>> = s.egress.isolators.iter().collect();
    let mut found = Isolated::default();
    let mut is_without_pods = true;
    for pod in s.egress.selected.iter().filter(|pod| !pod.finished) {
        if may_be_of(budget, source, pod)? {
            is_without_pods = false;
            let labels = Some(&pod.labels).filter(|_| !pod.labels_unknown);
            found.add(budget, &isolators, &pod.name, labels)?;
        }
    }
    if is_without_pods {
        found.add(budget, &isolators, "", Some(&source.pods.required_labels()))?;
    }
    if found.by.is_empty() {
        return Ok(Isolation::Open);
    }
    Ok(if found.open.is_empty() {
        Isolation::Isolated(found.by)
    } else {
        Isolation::Partly(found.open)
    })
}

/// True for a pod that a policy for this source selects, or may select.
///
/// # Errors
/// If the budget does not suffice.
pub fn may_be_of(budget: &mut Budget, source: &Source, pod: &Pod) -> Result<bool, TooCostly> {
    if pod.labels_unknown {
        return Ok(true);
    }
    Ok(source.pods.selects_within(budget, &pod.labels)? && !source.pods.is_empty())
}

/// True for a policy that isolates the pods that it selects for egress. Without `policyTypes`, only one with rules for egress
/// does.
pub fn isolates_egress(spec: &NetworkPolicySpec) -> bool {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    let has_rules = spec.egress.as_ref().is_some_and(|rules| !rules.is_empty());
    types.iter().any(|t| t == "Egress") || (types.is_empty() && has_rules)
}

#[cfg(test)]
mod tests;
