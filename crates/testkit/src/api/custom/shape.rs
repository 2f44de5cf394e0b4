//! Applies a schema to an object before validation: removes unknown fields and nulls, and sets defaults.

use serde_json::Value;

use super::schema::Schema;

/// Fields that every object has in addition to its schema.
const COMMON: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Shapes a whole object.
pub fn shape(schema: &Schema, object: &mut Value) {
    let Some(members) = object.as_object_mut() else { return };
    members.retain(|name, value| {
        COMMON.contains(&name.as_str()) || (schema.properties.contains_key(name) && !value.is_null())
    });
    for (name, schema) in &schema.properties {
        member(schema, members, name);
    }
}

fn member(schema: &Schema, members: &mut serde_json::Map<String, Value>, name: &str) {
    if let Some(value) = members.get_mut(name) {
        inside(schema, value);
    } else if let Some(default) = &schema.default {
        let mut default = default.clone();
        inside(schema, &mut default);
        members.insert(name.to_owned(), default);
    }
}

fn inside(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(members) if schema.kind == "object" => {
            if let Some(of_values) = &schema.additional {
                members.retain(|_, value| !value.is_null());
                members.values_mut().for_each(|value| inside(of_values, value));
                return;
            }
            members.retain(|name, value| schema.properties.contains_key(name) && !value.is_null());
            for (name, schema) in &schema.properties {
                member(schema, members, name);
            }
        }
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                for item in list {
                    inside(items, item);
                }
            }
        }
        _ => {}
    }
}
