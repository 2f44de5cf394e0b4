//! The error of one field, with the API server's reason and message.

use serde_json::{Value, json};

/// One cause of a 422.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// The path of the field; `<nil>` for the whole object.
    pub field: String,
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub reason: &'static str,
    /// The message, without the field.
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

    /// A value that is not valid. `why` begins with the value if the API server prints it.
    pub fn invalid(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueInvalid", format!("Invalid value: {why}"))
    }

    /// A value of the wrong type.
    pub fn of_type(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueTypeInvalid", format!("Invalid value: {why}"))
    }

    /// A field that is immutable.
    pub fn immutable(field: &str, value: &str) -> Self {
        Self::invalid(field, &format!("\"{value}\": field is immutable"))
    }

    /// A field that is missing.
    pub fn required(field: &str) -> Self {
        Self::new(field, "FieldValueRequired", "Required value".to_owned())
    }

    /// A field that is missing, with a reason.
    pub fn required_because(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueRequired", format!("Required value: {why}"))
    }

    /// A value that is not allowed at this time.
    pub fn forbidden(field: &str, why: &str) -> Self {
        Self::new(field, "FieldValueForbidden", format!("Forbidden: {why}"))
    }

    /// A value that is not in the list of allowed values.
    pub fn not_supported(field: &str, value: &Value, allowed: &[Value]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", allowed.join(", "));
        Self::new(field, "FieldValueNotSupported", message)
    }

    /// A value that is in the list already.
    pub fn duplicate(field: &str, value: &Value) -> Self {
        Self::new(field, "FieldValueDuplicate", format!("Duplicate value: {value}"))
    }

    /// A string that is too long.
    pub fn too_long(field: &str, most: u64) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self::new(field, "FieldValueTooLong", message)
    }

    /// A list that is too long.
    pub fn too_many(field: &str, found: usize, most: u64) -> Self {
        let message = format!("Too many: {found}: must have at most {most} items");
        Self::new(field, "FieldValueTooMany", message)
    }

    /// Added once if an object has errors that keep its CEL rules from being evaluated.
    pub fn rules_not_checked() -> Self {
        let why = "null: some validation rules were not checked because the object was invalid; correct the existing \
                   errors to complete validation";
        Self::invalid("<nil>", why)
    }

    /// True if the CEL rules are not evaluated after this error.
    pub fn is_blocking(&self) -> bool {
        !matches!(self.reason, "FieldValueInvalid" | "FieldValueDuplicate")
    }

    /// The entry in `details.causes`.
    pub fn cause(&self) -> Value {
        json!({"field": self.field, "reason": self.reason, "message": self.message})
    }
}
