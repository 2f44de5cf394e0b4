//! Who requested an action: the field manager that wrote the annotation, read before `managedFields` are dropped.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::Deserialize;
use serde::de::IgnoredAny;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const MAX_MANAGER: usize = 128;

/// The field managers of an object, as far as they may own the action annotation.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Managers(Option<Vec<Entry>>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    manager: Option<String>,
    time: Option<Time>,
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
    // `keys::ACTION`: an attribute takes no constant, so a test checks that both are the same.
    #[serde(rename = "f:instancelink.dev/action")]
    action: Option<IgnoredAny>,
}

impl Entry {
    fn owns_the_action(&self) -> bool {
        let metadata = self.fields_v1.as_ref().and_then(|fields| fields.metadata.as_ref());
        let annotations = metadata.and_then(|metadata| metadata.annotations.as_ref());
        annotations.is_some_and(|annotations| annotations.action.is_some())
    }
}

impl Managers {
    /// The manager of the action annotation; empty if unknown. Where several own it, the one that wrote last.
    pub(super) fn of_the_action(self) -> String {
        let owners = self.0.unwrap_or_default().into_iter().filter(Entry::owns_the_action);
        let newest = owners.max_by(|a, b| a.time.as_ref().map(|t| t.0).cmp(&b.time.as_ref().map(|t| t.0)));
        let name = newest.and_then(|entry| entry.manager).unwrap_or_default();
        name.chars().take(MAX_MANAGER).collect()
    }
}

/// Drops the annotation with the last applied configuration, which is as large as the object.
pub(crate) fn strip_last_applied(meta: &mut ObjectMeta) {
    if let Some(annotations) = meta.annotations.as_mut() {
        annotations.remove(LAST_APPLIED);
    }
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
        serde_json::from_value::<Managers>(json!(managed))
            .unwrap()
            .of_the_action()
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
    }
}
