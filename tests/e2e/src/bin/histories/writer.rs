//! The author of a version of a link: the operator, or a test that acts as a backup, a user or a forger.
//!
//! The API server records the author of each field (`managedFields`), but not who removed a field.

use std::collections::BTreeMap;

use instancelink_api::{InstanceLink, keys};
use serde_json::{Value, json};

/// The fields that only the operator writes: path and value.
type Remembered<'a> = BTreeMap<Vec<&'a str>, &'a Value>;

/// False if the memory of a link was not written by the operator: another client wrote it, or removed it without a
/// replacement. A removed action alone counts as the operator's work, unless it was handled before:
/// the tests remove only such actions by hand.
pub(crate) fn is_operator(before: &InstanceLink, after: &InstanceLink) -> bool {
    let (before, owned) = (json!(before), owned(after));
    let after = json!(after);
    let (was, is) = (remembered(&before), remembered(&after));
    let mut written = is
        .iter()
        .filter(|(place, value)| was.get(*place) != Some(value))
        .peekable();
    if written.peek().is_none() {
        return was.keys().all(|place| is.contains_key(place)) && !stands_handled(&before);
    }
    written.all(|(place, _)| owned.iter().any(|fields| has(fields, place)))
}

fn stands_handled(link: &Value) -> bool {
    let action = at(link, &["metadata", "annotations", keys::ACTION]);
    let handled = at(link, &["status", "lastAction", "handled"]).and_then(Value::as_array);
    action.is_some_and(|action| handled.is_some_and(|handled| handled.contains(action)))
}

fn remembered(link: &Value) -> Remembered<'_> {
    let intent = ["metadata", "annotations", keys::INTENT];
    let mut fields = Remembered::new();
    let intent_there = at(link, &intent).map(|value| (intent.to_vec(), value));
    let state = ["status", "state"];
    let state_there = at(link, &state).map(|value| (state.to_vec(), value));
    fields.extend(intent_there.into_iter().chain(state_there));
    let last = at(link, &["status", "lastAction"]).and_then(Value::as_object);
    let members = last.into_iter().flatten();
    fields.extend(members.map(|(name, value)| (vec!["status", "lastAction", name.as_str()], value)));
    fields
}

fn at<'a>(value: &'a Value, place: &[&str]) -> Option<&'a Value> {
    place.iter().try_fold(value, |value, name| value.get(name))
}

/// The sets of fields that the operator owns.
fn owned(link: &InstanceLink) -> Vec<Value> {
    let entries = link.metadata.managed_fields.iter().flatten();
    let ours = entries.filter(|entry| entry.manager.as_deref() == Some(keys::MANAGER));
    ours.filter_map(|entry| entry.fields_v1.as_ref().map(|fields| fields.0.clone()))
        .collect()
}

fn has(fields: &Value, place: &[&str]) -> bool {
    let found = place
        .iter()
        .try_fold(fields, |fields, name| fields.get(format!("f:{name}")));
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: &str = keys::MANAGER;

    /// A link with a memory of an action. Each part of it has an author.
    fn link(seq: u64, state: &str, manager: &str) -> InstanceLink {
        let annotation = format!("f:{}", keys::INTENT);
        serde_json::from_value(json!({
            "apiVersion": keys::API_VERSION, "kind": keys::KIND,
            "metadata": {
                "name": "web-db", "namespace": "shop",
                "annotations": { keys::INTENT: format!("{{\"seq\":{seq}}}"), keys::ACTION: "remove" },
                "managedFields": [
                    { "manager": "kubectl", "fieldsV1": { "f:spec": { "f:linkName": {} } } },
                    { "manager": manager, "fieldsV1": { "f:metadata": { "f:annotations": { annotation: {} } } } },
                    { "manager": manager, "subresource": "status", "fieldsV1": { "f:status": {
                        "f:state": {}, "f:lastAction": { ".": {}, "f:seq": {}, "f:phase": {} },
                    } } },
                ],
            },
            "spec": {
                "linkName": "db",
                "instanceRef": { "kind": "Deployment", "name": "web" },
                "targetInstanceRef": { "kind": "Service", "name": "pg" },
            },
            "status": { "state": state, "lastAction": {
                "seq": seq, "action": "deactivate", "verdict": "Accepted", "phase": "Completed",
                "at": "2026-01-01T00:00:00.000000Z", "link": "shop/web-db",
            } },
        }))
        .unwrap()
    }

    #[test]
    fn a_version_is_the_operators_where_it_owns_all_that_is_remembered_anew() {
        let before = link(1, "active", OPERATORS);
        assert!(is_operator(&before, &link(2, "deactivating", OPERATORS)));
        assert!(!is_operator(&before, &link(2, "deactivating", "kubectl-edit")));
        assert!(!is_operator(&before, &link(1, "deactivating", "kubectl-edit")));
    }

    #[test]
    fn what_is_lost_was_not_taken_by_the_operator() {
        let before = link(1, "active", OPERATORS);
        let mut wiped = before.clone();
        wiped.status = None;
        assert!(!is_operator(&before, &wiped));
        let mut replaced = before.clone();
        replaced.metadata.annotations = None;
        assert!(!is_operator(&before, &replaced));
    }

    #[test]
    fn an_edit_of_a_label_and_the_removal_of_an_action_count_as_the_operators() {
        let before = link(1, "active", OPERATORS);
        let mut edited = before.clone();
        edited.metadata.labels = Some([("team".to_owned(), "a".to_owned())].into());
        assert!(is_operator(&before, &edited));
        let mut taken = before.clone();
        taken.metadata.annotations.as_mut().unwrap().remove(keys::ACTION);
        assert!(is_operator(&before, &taken));
    }

    #[test]
    fn the_operator_does_not_remove_an_action_that_was_handled_before() {
        let mut before = link(1, "active", OPERATORS);
        let last = before.status.as_mut().unwrap().last_action.as_mut().unwrap();
        last.intent.handled.push("remove".to_owned());
        let mut taken_back = before.clone();
        taken_back.metadata.annotations.as_mut().unwrap().remove(keys::ACTION);
        assert!(!is_operator(&before, &taken_back));
    }

    #[test]
    fn one_forged_member_of_the_acknowledgement_is_enough() {
        let before = link(1, "active", OPERATORS);
        let mut forged = before.clone();
        let last = forged.status.as_mut().unwrap().last_action.as_mut().unwrap();
        last.intent.desired = Some(instancelink_api::Desired::Purged);
        assert!(!is_operator(&before, &forged));
    }
}
