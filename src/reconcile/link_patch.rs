//! Merge patches of a link. Each carries the UID and resourceVersion of the link as read, so the API server refuses a stale
//! one (`lifecycle#preconditions`).

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent, keys};
use instancelink_core::bounded_link::MORE_FINALIZERS;
use serde_json::{Map, Value, json};

/// What a patch of a link's metadata changes.
#[derive(Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) intent: Option<&'a Intent>,
    pub(super) remove_action: bool,
    pub(super) finalizer: Option<Finalizer>,
}

/// What to do with the operator's finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finalizer {
    Add,
    Drop,
}

/// True if the cache keeps only some of the link's finalizers. A list without the others must not be written.
pub(super) fn lacks_finalizers(link: &InstanceLink) -> bool {
    let mut finalizers = link.metadata.finalizers.iter().flatten();
    finalizers.any(|name| name == MORE_FINALIZERS)
}

/// The patch of a link's metadata. The link has all its finalizers.
pub(super) fn metadata(link: &InstanceLink, change: &Change<'_>) -> Result<Value, serde_json::Error> {
    let mut metadata = precondition(link);
    let mut annotations = Map::new();
    if let Some(intent) = change.intent {
        annotations.insert(keys::INTENT.to_owned(), Value::String(serde_json::to_string(intent)?));
    }
    if change.remove_action {
        annotations.insert(keys::ACTION.to_owned(), Value::Null);
    }
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    if let Some(finalizer) = change.finalizer {
        // The whole list is replaced. The resourceVersion protects finalizers that others add at the same time.
        let others = link
            .metadata
            .finalizers
            .iter()
            .flatten()
            .filter(|f| *f != keys::FINALIZER);
        let mut finalizers: Vec<&str> = others.map(String::as_str).collect();
        if finalizer == Finalizer::Add {
            finalizers.push(keys::FINALIZER);
        }
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
    Ok(json!({ "metadata": metadata }))
}

/// The patch that gives a link this status; none if it already has it. The field `lost` has a value that cannot be read, so
/// it is written as if it differed.
pub(super) fn status(
    link: &InstanceLink,
    status: &InstanceLinkStatus,
    lost: Option<&str>,
) -> Result<Option<Value>, serde_json::Error> {
    let before = match &link.status {
        Some(before) => serde_json::to_value(before)?,
        None => Value::Object(Map::new()),
    };
    let after = serde_json::to_value(status)?;
    let unread = lost.map(|field| (field.to_owned(), after.get(field).cloned().unwrap_or_default()));
    let mut diff = merge_diff(before, after);
    if let Some((field, value)) = unread
        && let Value::Object(fields) = diff.get_or_insert_with(|| Value::Object(Map::new()))
    {
        fields.insert(field, value);
    }
    Ok(diff.map(|diff| json!({ "metadata": precondition(link), "status": diff })))
}

fn precondition(link: &InstanceLink) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("uid".to_owned(), json!(link.metadata.uid));
    metadata.insert("resourceVersion".to_owned(), json!(link.metadata.resource_version));
    metadata
}

/// The merge patch from one value to the other: objects field by field, null for removed fields, other values as a whole.
fn merge_diff(from: Value, to: Value) -> Option<Value> {
    let (mut from, to) = match (from, to) {
        (Value::Object(from), Value::Object(to)) => (from, to),
        (from, to) => return (from != to).then_some(to),
    };
    let mut diff = Map::new();
    for (key, value) in to.into_iter().filter(|(_, value)| !value.is_null()) {
        let changed = match from.remove(&key) {
            Some(before) => merge_diff(before, value),
            None => Some(value),
        };
        diff.extend(changed.map(|changed| (key, changed)));
    }
    let gone = from.into_iter().filter(|(_, value)| !value.is_null());
    diff.extend(gone.map(|(key, _)| (key, Value::Null)));
    (!diff.is_empty()).then_some(Value::Object(diff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_contains_only_the_fields_that_differ() {
        let from = json!({"state": "active", "fqdn": "x", "list": [1, 2], "target": {"name": "a", "kind": "Pod"}});
        let to = json!({"state": "active", "list": [1], "target": {"name": "b", "kind": "Pod"}, "id": 7});
        let expected = json!({"fqdn": null, "list": [1], "target": {"name": "b"}, "id": 7});
        assert_eq!(merge_diff(from, to), Some(expected));
    }

    /// contract#bounded-objects
    #[test]
    fn a_link_with_more_finalizers_than_are_kept_is_known_by_that() {
        let spec = json!({"linkName": "db", "instanceRef": {"kind": "Pod", "name": "p"}});
        let mut link = InstanceLink::new("db", serde_json::from_value(spec).unwrap());
        let drop = Change {
            finalizer: Some(Finalizer::Drop),
            ..Change::default()
        };
        link.metadata.finalizers = Some(vec!["example.com/f".to_owned(), keys::FINALIZER.to_owned()]);
        let patch = metadata(&link, &drop).unwrap();
        assert_eq!(patch["metadata"]["finalizers"], json!(["example.com/f"]));
        assert!(!lacks_finalizers(&link));
        link.metadata.finalizers = Some((0..100).map(|n| format!("example.com/f{n}")).collect());
        instancelink_core::bounded_link::bound(&mut link);
        assert!(lacks_finalizers(&link));
    }

    #[test]
    fn a_field_of_the_status_that_cannot_be_read_is_written_in_any_case() {
        let mut link = InstanceLink::new(
            "db",
            serde_json::from_value(json!({"linkName": "db", "instanceRef": {"kind": "Pod", "name": "p"}})).unwrap(),
        );
        link.status = Some(InstanceLinkStatus::default());
        let same = InstanceLinkStatus::default();
        assert_eq!(status(&link, &same, None).unwrap(), None);
        let patch = |lost| status(&link, &same, Some(lost)).unwrap().unwrap()["status"].clone();
        assert_eq!(patch("removed"), json!({"removed": null}));
        assert_eq!(patch("state"), json!({"state": "requested"}));
    }

    #[test]
    fn equal_values_need_no_patch() {
        let status = json!({"state": "active", "history": [{"state": "active"}]});
        assert_eq!(merge_diff(status.clone(), status), None);
    }

    #[test]
    fn a_null_is_the_same_as_an_absent_field() {
        assert_eq!(merge_diff(json!({"a": null}), json!({})), None);
        assert_eq!(merge_diff(json!({}), json!({"a": null})), None);
        assert_eq!(
            merge_diff(json!({"a": 1}), json!({"a": null})),
            Some(json!({"a": null}))
        );
    }
}
