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

use super::pods::running_pods;
use super::selector::{contains, selects};
use crate::snapshot::{Isolator, Snapshot, Target, TargetObject};

/// How far policies of others isolate the target's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All pods are isolated, by these policies, and the target's labels select no other pods.
    Isolated(BTreeSet<String>),
    /// All pods are isolated, but the target's labels select these pods too, which are not the target's.
    Shared(BTreeSet<String>),
    /// Some pods are isolated; these are not.
    Partly(BTreeSet<String>),
    /// No pod is isolated.
    Open,
}

/// The isolation of the target's pods. Without pods, the labels of its selector decide.
pub fn isolation_of(s: &Snapshot, target: &Target) -> Isolation {
    let namespace = target.object.namespace();
    let isolators: Vec<&Arc<Isolator>> = s.isolators.iter().filter(|p| p.namespace == namespace).collect();
    let mut by = BTreeSet::new();
    let mut open = BTreeSet::new();
    let mut check = |name: &str, labels: &BTreeMap<String, String>| {
        let selecting = isolators.iter().filter(|p| selects(&p.pods, labels));
        let names: Vec<String> = selecting.map(|p| p.name.clone()).collect();
        if names.is_empty() {
            open.insert(name.to_owned());
        }
        by.extend(names);
    };
    let mut pods = running_pods(target).peekable();
    if pods.peek().is_none() {
        check("", &labels_of_selector(&target.object));
    }
    pods.for_each(|candidate| check(&candidate.pod.name, &candidate.pod.labels));
    if by.is_empty() {
        return Isolation::Open;
    }
    if !open.is_empty() {
        return Isolation::Partly(open);
    }
    let others = others_selected(s, target);
    if others.is_empty() {
        Isolation::Isolated(by)
    } else {
        Isolation::Shared(others)
    }
}

/// The pods that the target's labels select and that are not the target's. A finished pod has no connections to open or deny.
fn others_selected(s: &Snapshot, target: &Target) -> BTreeSet<String> {
    let own: BTreeSet<&str> = running_pods(target)
        .map(|candidate| candidate.pod.uid.as_str())
        .collect();
    let candidates = target.candidates.iter().map(|candidate| &candidate.pod);
    let selected = s.selected.iter().chain(candidates).filter(|pod| {
        pod.namespace == target.object.namespace() && !pod.finished && is_selected(&target.object, &pod.labels)
    });
    let others = selected.filter(|pod| !own.contains(pod.uid.as_str()));
    others.map(|pod| pod.name.clone()).collect()
}

/// True if [`selector_of`] the target selects a pod with these labels.
pub fn is_selected(object: &TargetObject, labels: &BTreeMap<String, String>) -> bool {
    let by_labels = |required: &BTreeMap<String, String>| !required.is_empty() && contains(labels, required);
    match object {
        TargetObject::Workload(workload) => !is_empty(&workload.selector) && selects(&workload.selector, labels),
        TargetObject::Pod(pod) => by_labels(&pod.labels),
        TargetObject::Service(service) => by_labels(&service.selector),
    }
}

/// A selector of the target's pods for a NetworkPolicy. None if there is no such selector; it is never empty, because an empty
/// selector selects the whole namespace.
pub fn selector_of(object: &TargetObject) -> Option<LabelSelector> {
    let selector = match object {
        TargetObject::Workload(workload) => workload.selector.clone(),
        TargetObject::Pod(pod) => by_labels(&pod.labels),
        TargetObject::Service(service) => by_labels(&service.selector),
    };
    normalized(&selector)
}

fn is_empty(selector: &LabelSelector) -> bool {
    let LabelSelector {
        match_labels,
        match_expressions,
    } = selector;
    match_labels.as_ref().is_none_or(BTreeMap::is_empty) && match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// The selector without empty parts, as the API server returns it; none if it is empty.
pub fn normalized(selector: &LabelSelector) -> Option<LabelSelector> {
    let selector = LabelSelector {
        match_labels: selector.match_labels.clone().filter(|labels| !labels.is_empty()),
        match_expressions: selector.match_expressions.clone().filter(|all| !all.is_empty()),
    };
    (selector != LabelSelector::default()).then_some(selector)
}

/// True for a policy that isolates the pods that it selects for ingress. Without `policyTypes`, ingress is included.
pub fn isolates(spec: &NetworkPolicySpec) -> bool {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    types.is_empty() || types.iter().any(|t| t == "Ingress")
}

fn labels_of_selector(object: &TargetObject) -> BTreeMap<String, String> {
    selector_of(object)
        .and_then(|selector| selector.match_labels)
        .unwrap_or_default()
}

fn by_labels(labels: &BTreeMap<String, String>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels.clone()),
        match_expressions: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contract#network-policy
    #[test]
    fn a_policy_isolates_unless_it_is_for_egress_only() {
        let isolates = |yaml: &str| isolates(&serde_yaml_ng::from_str(yaml).unwrap());
        assert!(isolates("{podSelector: {}}"), "Ingress is the default");
        assert!(isolates("{podSelector: {}, policyTypes: [Egress, Ingress]}"));
        assert!(!isolates("{podSelector: {}, policyTypes: [Egress]}"));
    }

    #[test]
    fn normalizing_a_selector_removes_only_its_empty_parts() {
        let normalized = |yaml: &str| normalized(&serde_yaml_ng::from_str(yaml).unwrap());
        let selector = |yaml: &str| Some(serde_yaml_ng::from_str::<LabelSelector>(yaml).unwrap());
        for empty in [
            "{}",
            "{matchLabels: {}}",
            "{matchExpressions: []}",
            "{matchLabels: {}, matchExpressions: []}",
        ] {
            assert_eq!(normalized(empty), None, "it would select the whole namespace");
        }
        let labels = "{matchLabels: {app: pg}}";
        let expressions = "{matchExpressions: [{key: app, operator: Exists}]}";
        assert_eq!(
            normalized("{matchLabels: {app: pg}, matchExpressions: []}"),
            selector(labels)
        );
        assert_eq!(
            normalized("{matchLabels: {}, matchExpressions: [{key: app, operator: Exists}]}"),
            selector(expressions)
        );
        let both = "{matchLabels: {app: pg}, matchExpressions: [{key: app, operator: Exists}]}";
        assert_eq!(normalized(both), selector(both));
    }

    #[test]
    fn a_target_without_labels_selects_no_pod() {
        let labels = [("app".to_owned(), "pg".to_owned())].into();
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
