use super::*;
use proptest::prelude::*;

fn labels(yaml: &str) -> BTreeMap<String, String> {
    serde_yaml_ng::from_str(yaml).unwrap()
}

fn parsed(yaml: &str) -> LabelSelector {
    serde_yaml_ng::from_str(yaml).unwrap()
}

fn selector(yaml: &str) -> Selector {
    parsed(yaml).into()
}

#[test]
fn labels_and_expressions_must_all_hold() {
    let s = selector(
        "{matchLabels: {app: pg}, matchExpressions: [
           {key: tier, operator: In, values: [hot, warm]}, {key: canary, operator: DoesNotExist},
           {key: zone, operator: NotIn, values: [z9]}, {key: role, operator: Exists}]}",
    );
    assert!(s.selects(&labels("{app: pg, tier: warm, role: primary}")));
    assert!(!s.selects(&labels("{app: my, tier: warm, role: primary}")));
    assert!(!s.selects(&labels("{app: pg, tier: cold, role: primary}")));
    assert!(!s.selects(&labels("{app: pg, tier: hot, role: primary, canary: yes}")));
    assert!(!s.selects(&labels("{app: pg, tier: hot, role: primary, zone: z9}")));
    assert!(!s.selects(&labels("{app: pg, tier: hot}")));
}

#[test]
fn a_selector_that_kubernetes_refuses_selects_nothing() {
    for bad in [
        "{key: app, operator: Like, values: [pg]}",
        "{key: app, operator: In}",
        "{key: app, operator: NotIn, values: []}",
        "{key: app, operator: NotIn}",
        "{key: app, operator: Exists, values: [pg]}",
        "{key: app, operator: DoesNotExist, values: [pg]}",
        "{key: team, operator: NotIn, values: [\"a b\"]}",
        "{key: \"a b\", operator: DoesNotExist}",
    ] {
        let s = selector(&format!("{{matchExpressions: [{bad}]}}"));
        assert!(s.is_nothing() && !s.is_empty(), "{bad}");
        assert!(!s.selects(&labels("{app: pg}")) && !s.selects(&labels("{}")), "{bad}");
        assert_eq!(s.to_api(), None, "{bad}");
    }
}

#[test]
fn an_empty_selector_selects_everything() {
    for empty in ["{}", "{matchLabels: {}}", "{matchExpressions: []}"] {
        let s = selector(empty);
        assert!(s.is_empty() && s == Selector::default(), "{empty}");
        assert!(s.selects(&labels("{app: pg}")) && s.selects(&labels("{}")));
        assert_eq!(s.to_api(), None, "it would select the whole namespace");
    }
}

#[test]
fn a_selector_is_shown_to_the_api_as_it_was_written() {
    for yaml in [
        "{matchLabels: {app: pg}}",
        "{matchLabels: {app: pg}, matchExpressions: [{key: tier, operator: In, values: [hot, warm]}]}",
        "{matchExpressions: [{key: a, operator: DoesNotExist}, {key: b, operator: Exists}, {key: c, operator: NotIn, values: [x]}]}",
    ] {
        assert_eq!(selector(yaml).to_api(), Some(parsed(yaml)), "{yaml}");
    }
}

/// The attack of a tenant: as many values as the API server stores.
#[test]
fn the_cost_of_an_evaluation_does_not_depend_on_the_length_of_the_selector() {
    let values = (0..100_000).map(|n| format!("v{n}")).collect();
    let one_key = LabelSelector {
        match_labels: None,
        match_expressions: Some(vec![expression("app", "In", values)]),
    };
    let keys = (0..100_000).map(|n| expression(&format!("k{n}"), "NotIn", vec!["v".to_owned()]));
    let many_keys = LabelSelector {
        match_labels: None,
        match_expressions: Some(keys.collect()),
    };
    let pod = labels("{app: v7, tier: hot}");
    for attack in [one_key, many_keys] {
        let s = Selector::from(&attack);
        assert!(s.selects(&pod) && s.cost(&pod) <= 3, "{}", s.cost(&pod));
    }
}

fn expression(key: &str, operator: &str, values: Vec<String>) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: Some(values).filter(|values| !values.is_empty()),
    }
}

/// The rules of Kubernetes, one requirement after the other.
fn naive(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let labelled = selector.match_labels.iter().flatten();
    let mut expressions = selector.match_expressions.iter().flatten();
    labelled.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|requirement| {
            let value = labels.get(&requirement.key);
            let listed = value.is_some_and(|v| requirement.values.iter().flatten().any(|w| w == v));
            match requirement.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn some_labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-d]", "[x-z]?", 0..4)
}

fn some_requirement() -> impl Strategy<Value = LabelSelectorRequirement> {
    let values = prop::collection::vec("[x-z]?", 1..4);
    (
        "[a-d]",
        prop::sample::select(vec!["In", "NotIn", "Exists", "DoesNotExist"]),
        values,
    )
        .prop_map(|(key, operator, values)| {
            let values = if operator.ends_with("In") { values } else { Vec::new() };
            expression(&key, operator, values)
        })
}

proptest! {
    #[test]
    fn a_compiled_selector_selects_what_its_requirements_say(
        required in some_labels(),
        expressions in prop::collection::vec(some_requirement(), 0..5),
        pods in prop::collection::vec(some_labels(), 1..20),
    ) {
        let raw = LabelSelector { match_labels: Some(required), match_expressions: Some(expressions) };
        let compiled = Selector::from(&raw);
        let shown = compiled.to_api().map(|api| Selector::from(&api));
        for pod in &pods {
            prop_assert_eq!(compiled.selects(pod), naive(&raw, pod), "{:?} {:?}", compiled, pod);
        }
        prop_assert!(shown.is_none_or(|shown| shown == compiled));
    }

    #[test]
    fn order_and_repetition_make_no_difference(expressions in prop::collection::vec(some_requirement(), 0..5)) {
        let of = |expressions: Vec<_>| Selector::from(LabelSelector { match_labels: None, match_expressions: Some(expressions) });
        let turned = expressions.iter().rev().cloned().chain(expressions.clone()).collect();
        prop_assert_eq!(of(expressions), of(turned));
    }
}
