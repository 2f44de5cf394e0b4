//! The JSON type of a value, as schemas name it.

use serde_json::Value;

use super::schema::Schema;

/// The type of a value, as messages show it.
pub fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// True if an integer is greater than the maximum, even where a float cannot represent the difference.
pub fn exceeds(number: &Value, most: f64) -> bool {
    number
        .as_i64()
        .is_some_and(|number| format!("{most}").parse().is_ok_and(|most: i64| number > most))
}

/// True if a value has the type of a schema.
pub fn is_of(schema: &Schema, value: &Value) -> bool {
    match schema.kind.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_string() || value.is_i64() || value.is_u64(),
    }
}
