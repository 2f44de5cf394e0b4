//! Field managers. The operator reads one fact from them: which client wrote the action annotation. Entries that a client
//! sends itself are kept, as the API server keeps them.

use serde_json::{Value, json};

use super::author::Author;
use super::object::Meta as _;
use super::store::shown;

const ACTION: &str = "instancelink.dev/action";

/// Writes the `managedFields` of an object before it is stored.
pub fn remember(new: &mut Value, old: Option<&Value>, author: Author<'_>) {
    let none = Value::Null;
    let old = old.unwrap_or(&none);
    let known = &old["metadata"]["managedFields"];
    let sent = new.metadata().remove("managedFields");
    let mut entries = entries(sent.as_ref().unwrap_or(known), false);
    let action = new["metadata"]["annotations"][ACTION].clone();
    if action.is_null() {
    } else if action == old["metadata"]["annotations"][ACTION] {
        entries.extend(self::entries(known, true));
    } else {
        entries.push(json!({
            "manager": author.manager,
            "operation": "Update",
            "apiVersion": new["apiVersion"],
            "time": shown(author.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": of_action(),
        }));
    }
    if !entries.is_empty() {
        new.metadata().insert("managedFields".to_owned(), Value::Array(entries));
    }
}

/// The entries about the action, or all others.
fn entries(list: &Value, about_action: bool) -> Vec<Value> {
    let list = list.as_array().into_iter().flatten();
    let chosen = list.filter(|entry| (entry["fieldsV1"] == of_action()) == about_action);
    chosen.cloned().collect()
}

fn of_action() -> Value {
    json!({"f:metadata": {"f:annotations": {format!("f:{ACTION}"): {}}}})
}
