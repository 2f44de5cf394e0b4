//! Preconditions of a write: resource version, UID, and an unchanged deletion timestamp.

use serde_json::Value;

use super::failure::{Failure, FieldError};
use super::object::Meta as _;
use super::resource::Resource;

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// Refuses a write that is not based on the stored object. `whole` is true for a PUT, false for a PATCH.
pub fn check(
    resource: &Resource,
    name: &str,
    subresource: Option<&str>,
    new: &Value,
    old: &Value,
    whole: bool,
) -> Result<(), Failure> {
    let (uid, expected) = (new.meta("uid"), old.meta("uid"));
    if whole && !uid.is_empty() && uid != expected {
        return Err(other_uid(resource, name, uid, expected));
    }
    let version = new.meta("resourceVersion");
    if version.is_empty() && resource.is_custom() {
        return Err(Failure::no_version(resource, name));
    }
    if !version.is_empty() && version != old.meta("resourceVersion") {
        return Err(Failure::conflict(resource, name, MODIFIED));
    }
    // A status write keeps the stored metadata, so the UID in its body has no effect.
    let of_status = subresource.is_some() && resource.is_custom();
    let mut errors = Vec::new();
    if !uid.is_empty() && uid != expected && !of_status {
        errors.push(FieldError::immutable("metadata.uid", uid));
    }
    let gone = new.meta("deletionTimestamp");
    if !gone.is_empty() && gone != old.meta("deletionTimestamp") && !of_status {
        errors.push(FieldError::immutable("metadata.deletionTimestamp", gone));
    }
    if errors.is_empty() {
        return Ok(());
    }
    if resource.is_custom() {
        // The API server validates the metadata of custom objects twice, and reports each error twice.
        errors.extend(errors.clone());
    }
    Err(Failure::invalid(resource, name, &errors))
}

/// 409 for a PUT with a UID that differs from the stored one.
pub fn other_uid(resource: &Resource, name: &str, uid: &str, expected: &str) -> Failure {
    let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {expected}");
    Failure::conflict(resource, name, &why)
}
