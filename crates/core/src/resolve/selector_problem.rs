//! What Kubernetes refuses in a label selector of its own kinds.
//!
//! A custom resource can have such a selector, and so can an object that an older API server stored. It selects nothing:
//! a controller of Kubernetes would not use it either.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Longest name in a key, and longest value.
const MAX_NAME: usize = 63;
/// Longest prefix of a key.
const MAX_PREFIX: usize = 253;
/// How much of a key or value a message shows, in characters.
const SHOWN: usize = 80;

/// The first thing that Kubernetes would refuse, and what to write instead; none for a valid selector.
pub fn problem_of(selector: &LabelSelector) -> Option<String> {
    let labels = selector.match_labels.iter().flatten();
    let of_labels = labels
        .map(|(key, value)| of_key(key).or_else(|| of_value(value)))
        .find_map(|problem| problem.map(|problem| format!("matchLabels: {problem}")));
    let expressions = selector.match_expressions.iter().flatten().enumerate();
    of_labels.or_else(|| {
        expressions
            .map(|(index, requirement)| (index, of_requirement(requirement)))
            .find_map(|(index, problem)| problem.map(|problem| format!("matchExpressions[{index}]: {problem}")))
    })
}

fn of_requirement(requirement: &LabelSelectorRequirement) -> Option<String> {
    let values = requirement.values.as_deref().unwrap_or_default();
    let problem = match (requirement.operator.as_str(), values.is_empty()) {
        ("In" | "NotIn", false) | ("Exists" | "DoesNotExist", true) => None,
        (operator @ ("In" | "NotIn"), true) => Some(format!(
            "{operator} needs values; write at least one, or leave the requirement out"
        )),
        (operator @ ("Exists" | "DoesNotExist"), false) => {
            Some(format!("{operator} has no values; remove them, or write In or NotIn"))
        }
        (other, _) => Some(format!(
            "there is no operator '{}'; write In, NotIn, Exists or DoesNotExist",
            shown(other)
        )),
    };
    problem
        .or_else(|| of_key(&requirement.key))
        .or_else(|| values.iter().find_map(|value| of_value(value)))
}

/// What Kubernetes refuses in the key of a label or an annotation.
pub(crate) fn of_key(key: &str) -> Option<String> {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let valid = !name.is_empty() && is_word(name) && prefix.is_none_or(is_subdomain);
    (!valid).then(|| {
        format!(
            "'{}' is not a key of a label; write a name of at most {MAX_NAME} letters, digits, '-', '_' and '.', or a DNS \
             subdomain, '/' and a name, e.g. team or example.com/team",
            shown(key)
        )
    })
}

/// What Kubernetes refuses in the value of a label.
pub(crate) fn of_value(value: &str) -> Option<String> {
    (!value.is_empty() && !is_word(value)).then(|| {
        format!(
            "'{}' is not a value of a label; write at most {MAX_NAME} letters, digits, '-', '_' and '.'",
            shown(value)
        )
    })
}

/// Letters, digits and, between them, `-`, `_` and `.`.
fn is_word(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.len() <= MAX_NAME && text.bytes().all(inner) && has_ends(text, |b| b.is_ascii_alphanumeric())
}

fn is_subdomain(text: &str) -> bool {
    let end = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| label.bytes().all(|b| end(b) || b == b'-') && has_ends(label, end);
    text.len() <= MAX_PREFIX && text.split('.').all(label)
}

fn has_ends(text: &str, valid: impl Fn(u8) -> bool) -> bool {
    [text.bytes().next(), text.bytes().next_back()]
        .into_iter()
        .all(|end| end.is_some_and(&valid))
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(yaml: &str) -> Option<String> {
        problem_of(&serde_yaml_ng::from_str(yaml).unwrap())
    }

    fn expression(yaml: &str) -> Option<String> {
        problem(&format!("{{matchExpressions: [{{key: a, operator: Exists}}, {yaml}]}}"))
    }

    #[test]
    fn a_selector_that_kubernetes_accepts_has_no_problem() {
        let longest = format!("{}.example.com/{}", "a".repeat(63), "B".repeat(63));
        for valid in [
            "{}",
            "{matchLabels: {app: pg, empty: \"\", example.com/Team_1.x: A-b_c.1}}",
            "{matchExpressions: [{key: a, operator: In, values: [b, \"\"]}, {key: a, operator: NotIn, values: [b]}]}",
            "{matchExpressions: [{key: a, operator: Exists}, {key: a, operator: DoesNotExist, values: []}]}",
            &format!("{{matchLabels: {{{longest}: x}}}}"),
        ] {
            assert_eq!(problem(valid), None, "{valid}");
        }
    }

    /// contract#invalid-grants
    #[test]
    fn a_requirement_with_the_wrong_number_of_values_is_named_by_its_place() {
        for wrong in [
            "{key: t, operator: NotIn, values: []}",
            "{key: t, operator: NotIn}",
            "{key: t, operator: In}",
        ] {
            let said = expression(wrong).unwrap();
            assert!(
                said.starts_with("matchExpressions[1]: ") && said.contains("needs values"),
                "{said}"
            );
        }
        for wrong in [
            "{key: t, operator: DoesNotExist, values: [a]}",
            "{key: t, operator: Exists, values: [\"\"]}",
        ] {
            assert!(expression(wrong).unwrap().contains("has no values"));
        }
        assert!(
            expression("{key: t, operator: notin, values: [a]}")
                .unwrap()
                .contains("no operator 'notin'")
        );
    }

    /// contract#invalid-grants
    #[test]
    fn malformed_keys_and_values_are_refused_in_labels_and_expressions() {
        let long = "x".repeat(64);
        let prefix = format!("{}/x", "p.".repeat(130));
        for key in [
            "", "/x", "x/", "a/b/c", "-x", "x-", "a b", "ä", "UP.com/x", "a..b/x", "-.a/x", &long, &prefix,
        ] {
            let labels = problem(&format!("{{matchLabels: {{\"{key}\": v}}}}")).unwrap();
            assert!(labels.contains("is not a key"), "{key}: {labels}");
            assert!(
                expression(&format!("{{key: \"{key}\", operator: DoesNotExist}}")).is_some(),
                "{key}"
            );
        }
        for value in ["-x", "x-", "a b", "a/b", "ä", &long] {
            assert!(
                problem(&format!("{{matchLabels: {{k: \"{value}\"}}}}")).is_some(),
                "{value}"
            );
            let said = expression(&format!("{{key: k, operator: NotIn, values: [ok, \"{value}\"]}}")).unwrap();
            assert!(said.contains("is not a value"), "{value}: {said}");
        }
    }

    #[test]
    fn a_message_is_short_and_has_no_control_characters() {
        let long = format!("{{key: \"\\e[31m{}\", operator: Exists}}", "x".repeat(100_000));
        let said = expression(&long).unwrap();
        assert!(said.len() < 400 && said.chars().all(|c| !c.is_control()), "{said}");
    }
}
