//! What is wrong with one field, in the API server's words.

use serde_json::{Value, json};

/// One cause of a 422.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// Where; `<nil>` for the object as a whole.
    pub field: String,
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub reason: &'static str,
    /// For people, without the field.
    pub message: String,
}

impl FieldError {
    fn new(field: &str, reason: &'static str, message: String) -> Self {
        Self {
            field: field.to_owned(),
            reason,
            message,
        }
    }

    /// A value that is not right; `why` begins with the value where it is told.
    pub fn invalid(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueInvalid", format!("Invalid value: {why}"))
    }

    /// A value of another type.
    pub fn of_type(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueTypeInvalid", format!("Invalid value: {why}"))
    }

    /// A field that cannot change.
    pub fn immutable(field: &str, value: &str) -> Self {
        Self::invalid(field, &format!("\"{value}\": field is immutable"))
    }

    /// A field that is missing.
    pub fn required(field: &str) -> Self {
        Self::new(field, "FieldValueRequired", "Required value".to_owned())
    }

    /// A field that is missing, and why it must not.
    pub fn required_because(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueRequired", format!("Required value: {why}"))
    }

    /// A value that may not be there now.
    pub fn forbidden(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueForbidden", format!("Forbidden: {why}"))
    }

    /// A value that is none of those that there are.
    pub fn not_supported(field: &str, value: &Value, allowed: &[Value]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", allowed.join(", "));
        Self::new(field, "FieldValueNotSupported", message)
    }

    /// A value that stands there already.
    pub fn duplicate(field: &str, value: &Value) -> Self {
        Self::new(field, "FieldValueDuplicate", format!("Duplicate value: {value}"))
    }

    /// A text that is too long.
    pub fn too_long(field: &str, most: u64) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self::new(field, "FieldValueTooLong", message)
    }

    /// A list that is too long.
    pub fn too_many(field: &str, found: usize, most: u64) -> Self {
        let message = format!("Too many: {found}: must have at most {most} items");
        Self::new(field, "FieldValueTooMany", message)
    }

    /// Said once when an object is so wrong that its rules are not looked at.
    pub fn rules_not_checked() -> Self {
        let why = "null: some validation rules were not checked because the object was invalid; correct the existing \
                   errors to complete validation";
        Self::invalid("<nil>", why)
    }

    /// Whether rules are not looked at after it.
    pub fn is_blocking(&self) -> bool {
        !matches!(self.reason, "FieldValueInvalid" | "FieldValueDuplicate")
    }

    /// As it stands in `details.causes`.
    pub fn cause(&self) -> Value {
        json!({"field": self.field, "reason": self.reason, "message": self.message})
    }
}
