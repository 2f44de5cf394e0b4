//! The messages that the API server returns: those of the admission policies and of the validation rules of the CRDs.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde::Deserialize as _;
use serde_yaml_ng::{Deserializer, Value};

use super::Row;
use crate::file;

/// The messages of each rule of each validating policy, as `deploy/` has them.
pub(super) fn policies() -> Result<BTreeSet<Row>> {
    let mut rows = BTreeSet::new();
    for name in file::below("deploy", "yaml")? {
        let text = file::read(&name)?;
        for document in Deserializer::from_str(&text) {
            let object = Value::deserialize(document).with_context(|| format!("{name} is no YAML"))?;
            if at(&object, &["kind"]) == "ValidatingAdmissionPolicy" {
                rows.extend(messages_of(&object)?);
            }
        }
    }
    Ok(rows)
}

fn messages_of(policy: &Value) -> Result<Vec<Row>> {
    let name = text(at(policy, &["metadata", "name"]));
    let mut rows = Vec::new();
    for rule in at(policy, &["spec", "validations"]).as_sequence().into_iter().flatten() {
        let said: Vec<Row> = ["message", "messageExpression"]
            .iter()
            .filter(|field| rule.get(**field).is_some())
            .map(|field| (format!("policy {name}, {field}"), text(at(rule, &[field]))))
            .collect();
        anyhow::ensure!(!said.is_empty(), "a rule of policy {name} has no message");
        rows.extend(said);
    }
    Ok(rows)
}

/// The value at this path; null where there is none.
fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter()
        .try_fold(value, |value, name| value.get(*name))
        .unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    let words = value.as_str().unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// The messages of the CEL rules in the CRDs, with the field that they are about.
pub(super) fn validation_rules() -> Result<BTreeSet<Row>> {
    let mut rows = BTreeSet::new();
    for crd in instancelink_api::crd::all() {
        let crd = serde_yaml_ng::to_value(&crd)?;
        let kind = text(at(&crd, &["spec", "names", "kind"]));
        for version in at(&crd, &["spec", "versions"]).as_sequence().into_iter().flatten() {
            rules_of(at(version, &["schema", "openAPIV3Schema"]), &kind, &mut rows);
        }
    }
    Ok(rows)
}

fn rules_of(schema: &Value, path: &str, rows: &mut BTreeSet<Row>) {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_sequence);
    for rule in rules.into_iter().flatten() {
        rows.insert((path.to_owned(), text(at(rule, &["message"]))));
    }
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
    {
        rules_of(property, &format!("{path}.{}", text(name)), rows);
    }
    if let Some(items) = schema.get("items") {
        rules_of(items, &format!("{path}[]"), rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_every_policy_is_among_the_messages() {
        let rows = policies().unwrap();
        for policy in ["action", "intent", "namespace", "target"] {
            let start = format!("policy {policy}.instancelink.dev,");
            assert!(rows.iter().any(|(place, _)| place.starts_with(&start)), "{policy}");
        }
        let rules = file::read("deploy/policies/validating/action.yaml").unwrap();
        let count = rows.iter().filter(|(place, _)| place.starts_with("policy action"));
        assert_eq!(count.count(), 2 * rules.matches("    - expression: ").count());
    }

    #[test]
    fn every_validation_rule_has_a_message() {
        let rows = validation_rules().unwrap();
        assert!(rows.len() > 20, "{}", rows.len());
        assert!(rows.iter().all(|(_, message)| !message.is_empty()));
    }
}
