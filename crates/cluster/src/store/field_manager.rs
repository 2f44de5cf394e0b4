//! Who requested an action: the field manager that wrote the annotation, read before `managedFields` are dropped.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

const MAX_MANAGER: usize = 128;
/// The owned field of an entry. An attribute takes no constant, so a test checks that both are the same.
const OWNED: &str = "f:instancelink.dev/action";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    manager: Option<String>,
    /// Compared as text: all times have one form, and others may write times that no type can hold.
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    fields_v1: Option<Fields>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "f:metadata")]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(rename = "f:annotations")]
    annotations: Option<Annotations>,
}

#[derive(Debug, Deserialize)]
struct Annotations {
    #[serde(rename = "f:instancelink.dev/action")]
    action: Option<IgnoredAny>,
}

impl Entry<'_> {
    fn owns_the_action(&self) -> bool {
        let metadata = self.fields_v1.as_ref().and_then(|fields| fields.metadata.as_ref());
        let annotations = metadata.and_then(|metadata| metadata.annotations.as_ref());
        annotations.is_some_and(|annotations| annotations.action.is_some())
    }
}

/// The manager of the action annotation in the text of `managedFields`; empty if unknown. Where several own it, the one
/// that wrote last. An entry that cannot be read owns nothing.
pub(super) fn manager_of_the_action(managed: &str) -> String {
    // Most objects have no such entry, and then nothing is parsed.
    if !managed.contains(OWNED) {
        return String::new();
    }
    let entries: Vec<&RawValue> = serde_json::from_str(managed).unwrap_or_default();
    let entries = entries
        .into_iter()
        .filter_map(|entry| serde_json::from_str::<Entry<'_>>(entry.get()).ok());
    let owners = entries.filter(Entry::owns_the_action);
    let newest = owners.max_by(|a, b| a.time.map(RawValue::get).cmp(&b.time.map(RawValue::get)));
    let name = newest.and_then(|entry| entry.manager).unwrap_or_default();
    name.chars().take(MAX_MANAGER).collect()
}

#[cfg(test)]
mod tests {
    use instancelink_api::keys;
    use serde_json::{Value, json};

    use super::*;

    fn entry(manager: &str, annotation: &str, time: &str) -> Value {
        let fields = json!({"f:metadata": {"f:annotations": {(format!("f:{annotation}")): {}}}});
        json!({"manager": manager, "time": time, "fieldsV1": fields})
    }

    fn manager_of(managed: &[Value]) -> String {
        manager_of_the_action(&json!(managed).to_string())
    }

    #[test]
    fn the_manager_is_the_one_that_owns_the_action() {
        let managed = [
            entry("helm", "other.example/annotation", "2026-01-01T00:00:00Z"),
            entry("kubectl-annotate", keys::ACTION, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(manager_of(&managed), "kubectl-annotate");
    }

    #[test]
    fn of_two_managers_the_later_one_counts() {
        let managed = [
            entry("flux", keys::ACTION, "2026-01-01T00:00:05Z"),
            entry("kubectl-annotate", keys::ACTION, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(manager_of(&managed), "flux");
    }

    #[test]
    fn an_unknown_manager_is_empty() {
        assert_eq!(manager_of(&[]), "");
        assert_eq!(OWNED, format!("f:{}", keys::ACTION));
    }

    /// contract#unusable-objects
    #[test]
    fn times_that_no_type_can_hold_and_entries_of_any_form_do_not_matter() {
        for time in [
            json!("9999-12-31T23:59:59Z"),
            json!("-0001-01-01T00:00:00Z"),
            json!("soon"),
            json!(7),
            json!(null),
        ] {
            let mut owner = entry("kubectl", keys::ACTION, "");
            owner["time"] = time;
            let broken = json!({"manager": 3, "fieldsV1": {"f:metadata": {"f:annotations": 7}}});
            assert_eq!(manager_of(&[broken.clone(), json!(3), owner, broken]), "kubectl");
        }
        for managed in [
            "3",
            "{}",
            "null",
            "\"f:instancelink.dev/action\"",
            "[\"f:instancelink.dev/action\"]",
        ] {
            assert_eq!(manager_of_the_action(managed), "", "{managed}");
        }
    }
}
