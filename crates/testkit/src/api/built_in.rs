//! Validation of built-in kinds, for the mistakes that the operator or its tests could make.

use serde_json::{Value, json};

use super::failure::FieldError;
use super::resource::{EVENTS, LEASES, Resource, SECRETS, SERVICES, SLICES};

/// The errors of an object of a built-in kind. `old` is the stored version.
pub fn errors(resource: &Resource, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if *resource == SERVICES {
        service(&new["spec"], old.map(|old| &old["spec"]), &mut errors);
    } else if *resource == SLICES {
        if new["addressType"].is_null() {
            errors.push(FieldError::required("addressType"));
        } else if old.is_some_and(|old| old["addressType"] != new["addressType"]) {
            errors.push(FieldError::invalid("addressType", "null: field is immutable"));
        }
    } else if *resource == SECRETS {
        secret(new, old, &mut errors);
    } else if *resource == EVENTS && new["action"].is_null() {
        errors.push(FieldError::required("action"));
    } else if *resource == LEASES {
        for (field, least, why) in [
            ("leaseDurationSeconds", 1, "must be greater than 0"),
            ("leaseTransitions", 0, "must be greater than or equal to 0"),
        ] {
            if let Some(number) = new["spec"][field].as_i64().filter(|number| *number < least) {
                errors.push(FieldError::invalid(
                    &format!("spec.{field}"),
                    &format!("{number}: {why}"),
                ));
            }
        }
    }
    errors
}

fn service(new: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let none = Vec::new();
    let ports = new["ports"].as_array().unwrap_or(&none);
    if ports.is_empty() && new["clusterIP"] != "None" {
        errors.push(FieldError::required("spec.ports"));
    }
    for (index, port) in ports.iter().enumerate() {
        if ports.len() > 1 && port["name"].as_str().unwrap_or_default().is_empty() {
            errors.push(FieldError::required(&format!("spec.ports[{index}].name")));
        }
    }
    if let Some(old) = old.filter(|old| old["clusterIP"] != new["clusterIP"]) {
        let why = format!("{}: may not change once set", new["clusterIPs"]);
        if !old["clusterIP"].is_null() {
            errors.push(FieldError::invalid("spec.clusterIPs[0]", &why));
        }
    }
}

fn secret(new: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let Some(old) = old else { return };
    if old["type"] != new["type"] {
        let value = new["type"].as_str().unwrap_or_default();
        errors.push(FieldError::immutable("type", value));
    }
    if old["immutable"] == json!(true) && old["data"] != new["data"] {
        errors.push(FieldError::forbidden(
            "data",
            "field is immutable when `immutable` is set",
        ));
    }
}

/// The errors of an object's owner references.
pub fn owners(new: &Value) -> Vec<FieldError> {
    let list = new["metadata"]["ownerReferences"].as_array();
    let owners = list.into_iter().flatten().enumerate();
    let nameless = owners.filter(|(_, owner)| owner["uid"].as_str().unwrap_or_default().is_empty());
    nameless
        .map(|(index, _)| {
            let field = format!("metadata.ownerReferences[{index}].uid");
            FieldError::required_because(&field, "must not be empty")
        })
        .collect()
}

/// True if a body can be decoded as its kind: the values of a `ConfigMap` are strings.
pub fn is_readable(object: &Value) -> bool {
    let data = object["data"].as_object();
    object["kind"] != "ConfigMap" || data.is_none_or(|data| data.values().all(Value::is_string))
}
