//! What a write does to the objects: names and versions, preconditions, generations, finalizers.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::admission;
use super::failure::Failure;
use super::object::Meta as _;
use super::resource::{LINKS, NAMESPACES, PODS, Resource};
use super::store::{Key, Store, shown};

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The client's name.
    pub by: &'a str,
    /// The API server's clock.
    pub now: Timestamp,
}

/// Members of metadata that only the API server writes.
const SYSTEM: [&str; 5] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];
const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// POST.
pub fn create(
    store: &mut Store,
    resource: &'static Resource,
    namespace: &str,
    mut object: Value,
    writer: Writer<'_>,
) -> Result<Arc<Value>, Failure> {
    let name = match object.meta("name") {
        "" if !object.meta("generateName").is_empty() => {
            format!("{}{:05x}", object.meta("generateName"), store.version())
        }
        "" => {
            let why = "Required value: name or generateName is required";
            return Err(Failure::invalid(resource, "", "metadata.name", why));
        }
        name => name.to_owned(),
    };
    let named = object.meta("namespace");
    if !named.is_empty() && named != namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::new(400, "BadRequest", why));
    }
    if !object.meta("resourceVersion").is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Failure::new(500, "InternalError", why));
    }
    let key = Key {
        resource,
        namespace: namespace.to_owned(),
        name: name.clone(),
    };
    if resource.namespaced {
        let space = Key {
            resource: &NAMESPACES,
            namespace: String::new(),
            name: namespace.to_owned(),
        };
        let Some(space) = store.get(&space) else {
            return Err(Failure::not_found(&NAMESPACES, namespace));
        };
        if space.is_going() {
            return Err(Failure::terminating(resource, &name, namespace));
        }
    }
    let uid = store.new_uid();
    let metadata = object.metadata();
    for field in SYSTEM {
        metadata.remove(field);
    }
    metadata.remove("managedFields");
    metadata.insert("name".to_owned(), name.clone().into());
    if resource.namespaced {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    metadata.insert("uid".to_owned(), uid.into());
    metadata.insert("creationTimestamp".to_owned(), shown(writer.now));
    if resource.generation {
        metadata.insert("generation".to_owned(), 1.into());
    }
    if resource.status
        && let Some(object) = object.as_object_mut()
    {
        object.remove("status");
    }
    admission::on_create(store, resource, &mut object);
    admission::validate(resource, &name, &object, None)?;
    // After admission, as in the API server: a refusal comes before the answer that the name is taken.
    if store.get(&key).is_some() {
        return Err(Failure::exists(resource, &name));
    }
    admission::remember_manager(&mut object, None, writer);
    Ok(store.put(key, object, writer.by))
}

/// PUT, and what a PATCH comes down to. `uid_is_precondition`: how a PUT takes another UID.
pub fn update(
    store: &mut Store,
    key: &Key,
    subresource: Option<&str>,
    mut new: Value,
    uid_is_precondition: bool,
    writer: Writer<'_>,
) -> Result<Arc<Value>, Failure> {
    let (resource, name) = (key.resource, key.name.as_str());
    let Some(old) = store.get(key).map(Arc::clone) else {
        return Err(Failure::not_found(resource, name));
    };
    let (uid, expected) = (new.meta("uid"), old.meta("uid"));
    if uid_is_precondition && !uid.is_empty() && uid != expected {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {expected}");
        return Err(Failure::conflict(resource, name, &why));
    }
    let version = new.meta("resourceVersion");
    if !version.is_empty() && version != old.meta("resourceVersion") {
        return Err(Failure::conflict(resource, name, MODIFIED));
    }
    if !uid.is_empty() && uid != expected {
        let why = format!("Invalid value: \"{uid}\": field is immutable");
        return Err(Failure::invalid(resource, name, "metadata.uid", &why));
    }
    if subresource.is_some() {
        let status = new.get("status").cloned();
        new = Value::clone(&old);
        set(&mut new, "status", status);
    } else {
        for field in SYSTEM {
            match old["metadata"].get(field) {
                Some(value) => new.metadata().insert(field.to_owned(), value.clone()),
                None => new.metadata().remove(field),
            };
        }
        if resource.status {
            set(&mut new, "status", old.get("status").cloned());
        }
    }
    new["apiVersion"] = old["apiVersion"].clone();
    new["kind"] = old["kind"].clone();
    if old.is_going() && new.finalizers().iter().any(|f| !old.finalizers().contains(f)) {
        let why = "Forbidden: no new finalizers can be added if the object is being deleted";
        return Err(Failure::invalid(resource, name, "metadata.finalizers", why));
    }
    admission::on_update(resource, &mut new, &old);
    admission::validate(resource, name, &new, Some(&old))?;
    if resource.generation && content(&new) != content(&old) {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        new.metadata().insert("generation".to_owned(), generation.into());
    }
    new.metadata().remove("managedFields");
    admission::remember_manager(&mut new, Some(&old), writer);
    let before = old["metadata"]["resourceVersion"].clone();
    new.metadata().insert("resourceVersion".to_owned(), before);
    if new == *old {
        return Ok(old);
    }
    if old.is_going() && new.finalizers().is_empty() && *resource != NAMESPACES && *resource != PODS {
        return Ok(store.remove_as(key, new, writer.by).unwrap_or(old));
    }
    Ok(store.put(key.clone(), new, writer.by))
}

/// DELETE: the object where something holds it, or else a `Status`.
pub fn delete(store: &mut Store, key: &Key, options: &Value, writer: Writer<'_>) -> Result<Value, Failure> {
    let (resource, name) = (key.resource, key.name.as_str());
    let Some(old) = store.get(key).map(Arc::clone) else {
        return Err(Failure::not_found(resource, name));
    };
    let preconditions = &options["preconditions"];
    for (field, title) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let expected = preconditions[field].as_str().unwrap_or_default();
        let found = old.meta(field);
        if !expected.is_empty() && expected != found {
            let why =
                format!("Precondition failed: {title} in precondition: {expected}, {title} in object meta: {found}");
            return Err(Failure::conflict(resource, name, &why));
        }
    }
    let graceful =
        *resource == PODS && options["gracePeriodSeconds"] != json!(0) && old["spec"]["nodeName"].is_string();
    if old.finalizers().is_empty() && !graceful && *resource != NAMESPACES {
        store.remove(key, writer.by);
        let mut details = json!({"name": name, "kind": resource.plural, "uid": old.meta("uid")});
        if !resource.group.is_empty() {
            details["group"] = json!(resource.group);
        }
        return Ok(
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
        );
    }
    if old.is_going() {
        return Ok(Value::clone(&old));
    }
    let mut going = Value::clone(&old);
    let (at, grace) = if graceful {
        (writer.now.saturating_add(30.seconds()), 30)
    } else {
        (Ok(writer.now), 0)
    };
    let at = at.unwrap_or(writer.now);
    going.metadata().insert("deletionTimestamp".to_owned(), shown(at));
    going
        .metadata()
        .insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    if resource.generation && *resource == LINKS {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        going.metadata().insert("generation".to_owned(), generation.into());
    }
    if *resource == NAMESPACES {
        going["status"]["phase"] = json!("Terminating");
    }
    Ok(Value::clone(&store.put(key.clone(), going, writer.by)))
}

/// What counts for the generation.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("metadata");
        members.remove("status");
    }
    object
}

/// Sets a member of an object, or takes it away.
fn set(object: &mut Value, member: &str, value: Option<Value>) {
    if let Some(members) = object.as_object_mut() {
        match value {
            Some(value) => members.insert(member.to_owned(), value),
            None => members.remove(member),
        };
    }
}
