//! Answers that are no success, in the API server's words.

use serde_json::{Value, json};

use super::resource::Resource;

/// A `Status` with `status: Failure`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP code.
    pub code: u16,
    /// `NotFound`, `Conflict`, …
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// `details`, where there are some.
    pub details: Option<Value>,
}

impl Failure {
    /// One without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    fn about(code: u16, reason: &'static str, resource: &Resource, name: &str, message: &str) -> Self {
        let mut details = json!({"name": name, "kind": resource.plural});
        if !resource.group.is_empty() {
            details["group"] = json!(resource.group);
        }
        Self {
            code,
            reason,
            message: message.to_owned(),
            details: Some(details),
        }
    }

    /// 404 for an object.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::about(404, "NotFound", resource, name, &message)
    }

    /// 404 for a path that nothing serves.
    pub fn not_served() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(404, "NotFound", "the server could not find the requested resource")
        }
    }

    /// 409 for a name that is taken.
    pub fn exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::about(409, "AlreadyExists", resource, name, &message)
    }

    /// 409 for a write on something older.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified()
        );
        Self::about(409, "Conflict", resource, name, &message)
    }

    /// 403 for a creation in a namespace that goes.
    pub fn terminating(resource: &Resource, name: &str, namespace: &str) -> Self {
        let message = format!(
            "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
            resource.qualified()
        );
        let mut failure = Self::about(403, "Forbidden", resource, name, &message);
        if let Some(details) = &mut failure.details {
            details["causes"] = json!([{
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace",
            }]);
        }
        failure
    }

    /// 422.
    pub fn invalid(resource: &Resource, name: &str, field: &str, why: &str) -> Self {
        let group = if resource.group.is_empty() {
            String::new()
        } else {
            format!(".{}", resource.group)
        };
        let message = format!("{}{group} \"{name}\" is invalid: {field}: {why}", resource.kind);
        let mut failure = Self::about(422, "Invalid", resource, name, &message);
        if let Some(details) = &mut failure.details {
            details["kind"] = json!(resource.kind);
            details["causes"] = json!([{"reason": "FieldValueInvalid", "message": why, "field": field}]);
        }
        failure
    }

    /// 410 for a watch from a version that is not kept any more.
    pub fn expired(from: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {from} ({oldest})"))
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}
