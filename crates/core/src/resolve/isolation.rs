//! Isolation: whether policies of others keep strangers from the target's pods, so that a policy of ours is what lets the
//! source in, and its end what keeps it out.
//!
//! A NetworkPolicy that selects a pod shuts out everybody whom no policy lets in. One of ours in front of pods that no
//! other policy isolates would therefore open no way and close all others: it is not written there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::pods::pods_behind;
use super::selector::selects;
use crate::snapshot::{Isolator, Snapshot, Target, TargetObject};

/// How far the target's pods are isolated by policies that are not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All of them, by these policies.
    Isolated(BTreeSet<String>),
    /// Some: these are not.
    Partly(BTreeSet<String>),
    /// None.
    Open,
}

/// Judges the pods that stand behind the target; where there are none, the labels that its selector asks for.
pub fn isolation_of(s: &Snapshot, target: &Target) -> Isolation {
    let namespace = target.object.namespace();
    let isolators: Vec<&Arc<Isolator>> = s.isolators.iter().filter(|p| p.namespace == namespace).collect();
    let mut by = BTreeSet::new();
    let mut open = BTreeSet::new();
    let mut judge = |name: &str, labels: &BTreeMap<String, String>| {
        let selecting = isolators.iter().filter(|p| selects(&p.pods, labels));
        let names: Vec<String> = selecting.map(|p| p.name.clone()).collect();
        if names.is_empty() {
            open.insert(name.to_owned());
        }
        by.extend(names);
    };
    let mut pods = pods_behind(target).peekable();
    if pods.peek().is_none() {
        judge("", &labels_asked_for(&target.object));
    }
    pods.for_each(|candidate| judge(&candidate.pod.name, &candidate.pod.labels));
    match (by.is_empty(), open.is_empty()) {
        (true, _) => Isolation::Open,
        (false, true) => Isolation::Isolated(by),
        (false, false) => Isolation::Partly(open),
    }
}

/// Which pods are the target's, as a NetworkPolicy can say it; none where it cannot, and an empty selector never: it would
/// take in the whole namespace.
pub fn selector_of(object: &TargetObject) -> Option<LabelSelector> {
    let selector = match object {
        TargetObject::Workload(workload) => workload.selector.clone(),
        TargetObject::Pod(pod) => by_labels(&pod.labels),
        TargetObject::Service(service) => by_labels(&service.selector),
    };
    normalized(&selector)
}

/// The selector without empty parts, as the API server gives it back; none where nothing is left.
pub fn normalized(selector: &LabelSelector) -> Option<LabelSelector> {
    let selector = LabelSelector {
        match_labels: selector.match_labels.clone().filter(|labels| !labels.is_empty()),
        match_expressions: selector.match_expressions.clone().filter(|all| !all.is_empty()),
    };
    (selector != LabelSelector::default()).then_some(selector)
}

/// True for a policy that shuts out from the pods it selects whom no policy lets in. Where the types are left out, ingress
/// is among them.
pub fn isolates(spec: &NetworkPolicySpec) -> bool {
    let types = spec.policy_types.as_deref().unwrap_or_default();
    types.is_empty() || types.iter().any(|t| t == "Ingress")
}

fn labels_asked_for(object: &TargetObject) -> BTreeMap<String, String> {
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
        assert!(isolates("{podSelector: {}}"), "the API server puts Ingress there");
        assert!(isolates("{podSelector: {}, policyTypes: [Egress, Ingress]}"));
        assert!(!isolates("{podSelector: {}, policyTypes: [Egress]}"));
    }

    #[test]
    fn a_selector_loses_its_empty_parts_and_nothing_else() {
        let normalized = |yaml: &str| normalized(&serde_yaml_ng::from_str(yaml).unwrap());
        let selector = |yaml: &str| Some(serde_yaml_ng::from_str::<LabelSelector>(yaml).unwrap());
        for empty in [
            "{}",
            "{matchLabels: {}}",
            "{matchExpressions: []}",
            "{matchLabels: {}, matchExpressions: []}",
        ] {
            assert_eq!(normalized(empty), None, "it would take in the whole namespace");
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
}
