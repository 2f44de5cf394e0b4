//! Isolation: whether NetworkPolicies of others isolate the target's pods, and whether the target's labels select these pods
//! only.
//!
//! A NetworkPolicy that selects a pod denies all connections that no policy allows. In front of pods that no other policy
//! isolates, the operator's own policy would allow nothing new and deny all other clients, so it is not written there. A pod
//! that is not the target's may have the labels of the target: the policy would select it too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::budget::{Budget, TooCostly};
use super::isolators::Isolated;
use super::pods::{cost, running_pods, spend};
use super::selector::contains_within;
use crate::snapshot::{Isolator, Pod, Snapshot, Target, TargetObject};

/// How far policies of others isolate the pods of one end of a link: here of the target, for ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All pods are isolated, by these policies, and the target's labels select only its own.
    Isolated(BTreeSet<String>),
    /// All pods are isolated, but the target's labels select these pods too, which are not the target's.
    Shared(BTreeSet<String>),
    /// Some pods are isolated; these are not.
    Partly(BTreeSet<String>),
    /// No pod is isolated.
    Open,
    /// There are too many pods, policies or labels to tell.
    TooCostly,
}

/// The isolation of the target's pods. Without pods, the labels of its selector decide.
pub fn isolation_of(s: &Snapshot, target: &Target) -> Isolation {
    isolation_within(&mut Budget::whole(), s, target).unwrap_or(Isolation::TooCostly)
}

fn isolation_within(budget: &mut Budget, s: &Snapshot, target: &Target) -> Result<Isolation, TooCostly> {
    spend(budget, target)?;
    let namespace = target.object.namespace();
    let isolators: Vec<&Arc<Isolator>> = s.isolators.iter().filter(|p| p.namespace == namespace).collect();
    let mut found = Isolated::default();
    let mut pods = running_pods(target).peekable();
    if pods.peek().is_none() {
        found.add(budget, &isolators, "", Some(&labels_of_selector(&target.object)))?;
    }
    for candidate in pods {
        found.add(budget, &isolators, &candidate.pod.name, Some(&candidate.pod.labels))?;
    }
    if found.by.is_empty() {
        return Ok(Isolation::Open);
    }
    if !found.open.is_empty() {
        return Ok(Isolation::Partly(found.open));
    }
    let others = others_selected(budget, s, target)?;
    Ok(if others.is_empty() {
        Isolation::Isolated(found.by)
    } else {
        Isolation::Shared(others)
    })
}

/// The pods that the target's labels select and that are not the target's. A finished pod has no connections to open or deny.
pub(super) fn others_selected(
    budget: &mut Budget,
    s: &Snapshot,
    target: &Target,
) -> Result<BTreeSet<String>, TooCostly> {
    // Whether a pod without an owner was the target's is known only by slices, and who can write these has no say elsewhere.
    let is_beside = s.link.object.metadata.namespace.as_deref() == Some(target.object.namespace());
    let own: BTreeSet<&str> = running_pods(target)
        .filter(|candidate| is_beside || !candidate.is_kept)
        .map(|candidate| candidate.pod.uid.as_str())
        .collect();
    let candidates = target.candidates.iter().map(|candidate| &candidate.pod);
    let namespace = target.object.namespace();
    let mut others = BTreeSet::new();
    for pod in s
        .selected
        .iter()
        .chain(candidates)
        .filter(|pod| pod.namespace == namespace)
    {
        budget.spend(cost(&target.object, &pod.labels))?;
        let is_other = !pod.finished && !own.contains(pod.uid.as_str());
        if is_other && may_be_selected(&mut Budget::unlimited(), &target.object, pod)? {
            others.insert(pod.name.clone());
        }
    }
    Ok(others)
}

/// True if a policy of others isolates the pod.
///
/// # Errors
/// If the budget does not suffice.
pub(crate) fn is_isolated(budget: &mut Budget, s: &Snapshot, pod: &Pod) -> Result<bool, TooCostly> {
    for policy in s.isolators.iter().filter(|policy| policy.namespace == pod.namespace) {
        budget.spend(policy.pods.cost(&pod.labels))?;
        if policy.pods.selects(&pod.labels) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True if [`selector_of`] the target selects this pod, or may select it.
///
/// # Errors
/// If the budget does not suffice.
pub fn may_be_selected(budget: &mut Budget, object: &TargetObject, pod: &Pod) -> Result<bool, TooCostly> {
    if pod.labels_unknown {
        return Ok(true);
    }
    is_selected(budget, object, &pod.labels)
}

/// True if [`selector_of`] the target selects a pod with these labels.
fn is_selected(
    budget: &mut Budget,
    object: &TargetObject,
    labels: &BTreeMap<String, String>,
) -> Result<bool, TooCostly> {
    let required = match object {
        TargetObject::Workload(workload) if workload.selector.is_empty() => return Ok(false),
        TargetObject::Workload(workload) => return workload.selector.selects_within(budget, labels),
        TargetObject::Pod(pod) => &pod.labels,
        TargetObject::Service(service) => &service.selector,
    };
    Ok(!required.is_empty() && contains_within(budget, labels, required)?)
}

/// A selector of the target's pods for a NetworkPolicy. None if there is no such selector; it is never empty, because an empty
/// selector selects the whole namespace.
pub fn selector_of(object: &TargetObject) -> Option<LabelSelector> {
    match object {
        TargetObject::Workload(workload) => workload.selector.to_api(),
        TargetObject::Pod(pod) => by_labels(&pod.labels),
        TargetObject::Service(service) => by_labels(&service.selector),
    }
}

/// True for a policy that isolates the pods that it selects for ingress. Without `policyTypes`, ingress is included.
pub fn isolates(spec: &NetworkPolicySpec) -> bool {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    types.is_empty() || types.iter().any(|t| t == "Ingress")
}

fn labels_of_selector(object: &TargetObject) -> BTreeMap<String, String> {
    match object {
        TargetObject::Workload(workload) => workload.selector.required_labels(),
        TargetObject::Pod(pod) => pod.labels.clone(),
        TargetObject::Service(service) => service.selector.clone(),
    }
}

fn by_labels(labels: &BTreeMap<String, String>) -> Option<LabelSelector> {
    (!labels.is_empty()).then(|| LabelSelector {
        match_labels: Some(labels.clone()),
        match_expressions: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::resolve::selector::Selector;

    /// contract#network-policy
    #[test]
    fn a_policy_isolates_unless_it_is_for_egress_only() {
        let isolates = |yaml: &str| isolates(&serde_yaml_ng::from_str(yaml).unwrap());
        assert!(isolates("{podSelector: {}}"), "Ingress is the default");
        assert!(isolates("{podSelector: {}, policyTypes: [Egress, Ingress]}"));
        assert!(!isolates("{podSelector: {}, policyTypes: [Egress]}"));
    }

    /// The attack of a tenant: more pods and policies than a pass may compare.
    #[test]
    fn too_many_pods_and_policies_are_not_compared_and_their_isolation_is_unknown() {
        let of = |count: usize| {
            let pods = (0..count)
                .map(|n| fixture::pod(&format!("pg-{n}"), "10.0.0.10"))
                .collect();
            let mut s = fixture::snapshot().with_target_deployment(pods);
            s.isolators = (0..count)
                .map(|n| {
                    Arc::new(Isolator {
                        namespace: fixture::NAMESPACE.to_owned(),
                        name: format!("p{n}"),
                        pods: Selector::default(),
                    })
                })
                .collect();
            isolation_of(&s, s.target.as_ref().unwrap())
        };
        assert!(matches!(of(200), Isolation::Isolated(by) if by.len() == 200));
        assert_eq!(of(1000), Isolation::TooCostly);
    }

    #[test]
    fn a_target_without_labels_selects_no_pod() {
        let labels = [("app".to_owned(), "pg".to_owned())].into();
        let is_selected = |object: &TargetObject, labels: &BTreeMap<String, String>| {
            is_selected(&mut Budget::whole(), object, labels).unwrap()
        };
        let workload = |selector: &str| {
            TargetObject::Workload(Arc::new(crate::snapshot::Workload {
                selector: serde_yaml_ng::from_str(selector).unwrap(),
                ..crate::fixture::deployment()
            }))
        };
        assert!(is_selected(&workload("{matchLabels: {app: pg}}"), &labels));
        assert!(!is_selected(&workload("{matchLabels: {app: web}}"), &labels));
        assert!(!is_selected(&workload("{}"), &labels));
        let pod = |labels| {
            TargetObject::Pod(Arc::new(crate::snapshot::Pod {
                labels,
                ..crate::fixture::pod("pg-0", "10.0.0.10")
            }))
        };
        assert!(is_selected(&pod([("app".to_owned(), "pg".to_owned())].into()), &labels));
        assert!(!is_selected(&pod([].into()), &labels));
    }
}
