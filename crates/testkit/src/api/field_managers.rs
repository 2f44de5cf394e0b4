//! Field managers. The operator reads one fact from them: which client wrote the action annotation.

use serde_json::{Value, json};

use super::author::Author;
use super::object::Meta as _;
use super::store::shown;

const ACTION: &str = "instancelink.dev/action";

/// Writes the `managedFields` of an object before it is stored.
pub fn remember(new: &mut Value, old: Option<&Value>, author: Author<'_>) {
    new.metadata().remove("managedFields");
    let before = old.map_or(&Value::Null, |old| &old["metadata"]["annotations"][ACTION]);
    let action = new["metadata"]["annotations"][ACTION].clone();
    let entries = if action.is_null() {
        Value::Null
    } else if action == *before {
        old.map_or(Value::Null, |old| old["metadata"]["managedFields"].clone())
    } else {
        json!([{
            "manager": author.manager,
            "operation": "Update",
            "apiVersion": new["apiVersion"],
            "time": shown(author.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:annotations": {format!("f:{ACTION}"): {}}}},
        }])
    };
    if !entries.is_null() {
        new.metadata().insert("managedFields".to_owned(), entries);
    }
}
