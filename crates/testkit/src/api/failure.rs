//! Failed answers, with the API server's codes, reasons and messages.

use serde_json::{Value, json};

use super::resource::{EVENTS, Resource};

pub use super::field_error::FieldError;

/// A `Status` with `status: Failure`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP code.
    pub code: u16,
    /// `NotFound`, `Conflict`, …; may be empty.
    pub reason: &'static str,
    /// The message.
    pub message: String,
    /// `details`, if there are any.
    pub details: Option<Value>,
}

impl Failure {
    /// A failure without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    pub(super) fn about(code: u16, reason: &'static str, resource: &Resource, name: &str, message: &str) -> Self {
        let mut details = json!({"kind": resource.plural});
        if !name.is_empty() {
            details["name"] = json!(name);
        }
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

    /// 404 for an object that does not exist.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::about(404, "NotFound", resource, name, &message)
    }

    /// 404 for a path that the server does not serve.
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

    /// 409 for a name that is taken by an object that is being deleted.
    pub fn exists_terminating(resource: &Resource, name: &str) -> Self {
        let failure = Self::exists(resource, name);
        let message = format!("object is being deleted: {}", failure.message);
        Self { message, ..failure }
    }

    /// 409 for a deletion whose UID or resource version does not match.
    pub fn precondition(resource: &Resource, name: &str, title: &str, asked: &str, found: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the {title} in the precondition ({asked}) does not match \
             the {title} in record ({found}). {why}",
            resource.kind_and_group()
        );
        let mut failure = Self::about(409, "Conflict", resource, name, &message);
        if let Some(details) = &mut failure.details {
            details["kind"] = json!(resource.kind);
        }
        failure
    }

    /// 409 for a write that is based on an older version.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified()
        );
        Self::about(409, "Conflict", resource, name, &message)
    }

    /// 403 for a creation in a namespace that is being deleted.
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

    /// 422 with all errors of an object.
    pub fn invalid(resource: &Resource, name: &str, errors: &[FieldError]) -> Self {
        if *resource == EVENTS {
            // The API server validates events of both groups as events of the core group.
            let core = Resource { group: "", ..EVENTS };
            return Self::invalid_as("Event", &core, name, errors);
        }
        Self::invalid_as(&resource.kind_and_group(), resource, name, errors)
    }

    /// 422 for an update of a custom object without a resource version. Here the API server names the plural, not the kind.
    pub fn no_version(resource: &Resource, name: &str) -> Self {
        let error = FieldError::invalid("metadata.resourceVersion", "0: must be specified for an update");
        let mut failure = Self::invalid_as(&resource.qualified(), resource, name, &[error]);
        if let Some(details) = &mut failure.details {
            details["kind"] = json!(resource.plural);
        }
        failure
    }

    fn invalid_as(what: &str, resource: &Resource, name: &str, errors: &[FieldError]) -> Self {
        let shown: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        let shown = match shown.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{what} \"{name}\" is invalid: {shown}");
        let mut failure = Self::about(422, "Invalid", resource, name, &message);
        if let Some(details) = &mut failure.details {
            details["kind"] = json!(resource.kind);
            details["causes"] = errors.iter().map(FieldError::cause).collect();
        }
        failure
    }

    /// 422 for a JSON patch whose test fails or whose path does not exist.
    pub fn unpatchable() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(
                422,
                "Invalid",
                "the server rejected our request due to an error in our request",
            )
        }
    }

    /// 422 for a list or watch with options that contradict each other.
    pub fn list_options(field: &str, why: &str) -> Self {
        let error = FieldError::forbidden(field, why);
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: {}", error.message);
        let details = json!({"group": "meta.k8s.io", "kind": "ListOptions", "causes": [error.cause()]});
        Self {
            details: Some(details),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// 410 for a watch from a version that was compacted.
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
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}
