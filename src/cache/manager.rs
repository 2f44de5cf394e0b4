//! Who asked for an action: the field manager that wrote the annotation, read before `managedFields` are dropped.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use instancelink_api::keys;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const MAX_MANAGER: usize = 128;

/// The manager of the action annotation; empty if unknown. Where several own it, the one that wrote last.
pub(crate) fn action_manager(managed: &[ManagedFieldsEntry]) -> String {
    let key = format!("f:{}", keys::ACTION);
    let newest = managed
        .iter()
        .filter(|entry| {
            entry
                .fields_v1
                .as_ref()
                .and_then(|f| f.0.get("f:metadata")?.get("f:annotations")?.get(&key))
                .is_some()
        })
        .max_by(|a, b| a.time.as_ref().map(|t| t.0).cmp(&b.time.as_ref().map(|t| t.0)));
    let name = newest.and_then(|entry| entry.manager.as_deref()).unwrap_or_default();
    name.chars().take(MAX_MANAGER).collect()
}

/// Drops what nobody reads: four fifths of a link as it comes over the wire.
pub(crate) fn strip(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    if let Some(annotations) = meta.annotations.as_mut() {
        annotations.remove(LAST_APPLIED);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, Time};
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, annotation: &str, time: &str) -> ManagedFieldsEntry {
        let field = format!("f:{annotation}");
        ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            time: Some(Time(time.parse().unwrap())),
            fields_v1: Some(FieldsV1(json!({"f:metadata": {"f:annotations": {field: {}}}}))),
            ..ManagedFieldsEntry::default()
        }
    }

    #[test]
    fn the_manager_is_the_one_that_owns_the_action() {
        let managed = [
            entry("helm", "other.example/annotation", "2026-01-01T00:00:00Z"),
            entry("kubectl-annotate", keys::ACTION, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(action_manager(&managed), "kubectl-annotate");
    }

    #[test]
    fn of_two_managers_the_later_one_counts() {
        let managed = [
            entry("flux", keys::ACTION, "2026-01-01T00:00:05Z"),
            entry("kubectl-annotate", keys::ACTION, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(action_manager(&managed), "flux");
    }

    #[test]
    fn nobody_known_is_empty() {
        assert_eq!(action_manager(&[]), "");
    }
}
