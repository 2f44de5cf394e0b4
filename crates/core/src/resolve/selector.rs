//! Label selectors, as the API server evaluates them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::selector_problem::problem_of;

/// True if the selector selects an object with these labels. An empty selector selects everything. One that Kubernetes
/// refuses selects nothing: missing endpoints are a fault, but wrong ones are a security problem.
pub fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let LabelSelector {
        match_labels,
        match_expressions,
    } = selector;
    problem_of(selector).is_none()
        && match_labels.iter().all(|required| contains(labels, required))
        && match_expressions
            .iter()
            .flatten()
            .all(|requirement| meets(labels, requirement))
}

/// True if the labels contain all required ones, as for the selector of a Service.
pub fn contains(labels: &BTreeMap<String, String>, required: &BTreeMap<String, String>) -> bool {
    required.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn meets(labels: &BTreeMap<String, String>, requirement: &LabelSelectorRequirement) -> bool {
    let value = labels.get(&requirement.key);
    let listed = || value.is_some_and(|v| requirement.values.iter().flatten().any(|w| w == v));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(yaml: &str) -> BTreeMap<String, String> {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    fn selector(yaml: &str) -> LabelSelector {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    #[test]
    fn labels_and_expressions_must_all_hold() {
        let s = selector(
            "{matchLabels: {app: pg}, matchExpressions: [
               {key: tier, operator: In, values: [hot, warm]}, {key: canary, operator: DoesNotExist},
               {key: zone, operator: NotIn, values: [z9]}, {key: role, operator: Exists}]}",
        );
        assert!(selects(&s, &labels("{app: pg, tier: warm, role: primary}")));
        assert!(!selects(&s, &labels("{app: my, tier: warm, role: primary}")));
        assert!(!selects(&s, &labels("{app: pg, tier: cold, role: primary}")));
        assert!(!selects(
            &s,
            &labels("{app: pg, tier: hot, role: primary, canary: yes}")
        ));
        assert!(!selects(&s, &labels("{app: pg, tier: hot, role: primary, zone: z9}")));
        assert!(!selects(&s, &labels("{app: pg, tier: hot}")));
    }

    #[test]
    fn a_selector_that_kubernetes_refuses_selects_nothing() {
        for requirement in [
            "{key: app, operator: Like, values: [pg]}",
            "{key: team, operator: NotIn, values: []}",
            "{key: team, operator: NotIn}",
            "{key: team, operator: NotIn, values: [\"a b\"]}",
            "{key: team, operator: DoesNotExist, values: [a]}",
            "{key: app, operator: Exists, values: [pg]}",
            "{key: \"a b\", operator: DoesNotExist}",
        ] {
            let s = selector(&format!("{{matchExpressions: [{requirement}]}}"));
            assert!(!selects(&s, &labels("{app: pg}")), "{requirement}");
        }
    }

    #[test]
    fn an_empty_selector_selects_everything() {
        assert!(selects(&LabelSelector::default(), &labels("{app: pg}")));
    }
}
