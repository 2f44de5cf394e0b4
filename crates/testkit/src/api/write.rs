//! POST, PUT and PATCH: names, preconditions, generations, finalizers.

use std::sync::Arc;

use serde_json::Value;

use super::admission;
use super::author::Author;
use super::failure::{Failure, FieldError};
use super::field_managers;
use super::object::Meta as _;
use super::preconditions;
use super::resource::{NAMESPACES, PODS, Resource, SLICES};
use super::store::{Key, Store, shown};

pub use super::author::Writer;
pub use super::delete::delete;

/// Members of metadata that only the API server writes.
const SYSTEM: [&str; 5] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];

/// The message about an object whose namespace differs from its path.
pub const OTHER_NAMESPACE: &str =
    "the namespace of the provided object does not match the namespace sent on the request";
/// The characters of generated names.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Creates an object.
pub fn create<'a>(
    store: &mut Store,
    resource: &'static Resource,
    namespace: &str,
    mut object: Value,
    author: impl Into<Author<'a>>,
) -> Result<Arc<Value>, Failure> {
    let author = author.into();
    let name = match object.meta("name") {
        "" if !object.meta("generateName").is_empty() => {
            format!("{}{}", object.meta("generateName"), name_suffix(store.version()))
        }
        "" => {
            let error = FieldError::required_because("metadata.name", "name or generateName is required");
            let not_checked = resource.is_custom().then(FieldError::rules_not_checked);
            let errors: Vec<FieldError> = std::iter::once(error).chain(not_checked).collect();
            return Err(Failure::invalid(resource, "", &errors));
        }
        name => name.to_owned(),
    };
    let named = object.meta("namespace");
    if !named.is_empty() && named != namespace {
        return Err(Failure::new(400, "BadRequest", OTHER_NAMESPACE));
    }
    if !object.meta("resourceVersion").is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Failure::new(500, "", why));
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
        if space.is_terminating() {
            return Err(Failure::terminating(resource, &name, namespace));
        }
    }
    let uid = store.new_uid();
    let metadata = object.metadata();
    // The API server keeps the generation that the client sent if it does not count generations of this kind.
    for field in SYSTEM
        .iter()
        .filter(|field| **field != "generation" || resource.generation)
    {
        metadata.remove(*field);
    }
    metadata.insert("name".to_owned(), name.clone().into());
    if resource.namespaced {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    metadata.insert("uid".to_owned(), uid.into());
    metadata.insert("creationTimestamp".to_owned(), shown(author.now));
    if resource.generation {
        metadata.insert("generation".to_owned(), 1.into());
    }
    if resource.status {
        set(&mut object, "status", None);
    }
    admission::on_create(store, resource, &mut object);
    store.policies.clone().mutate(resource, None, &mut object);
    admission::validate(resource, &object, None, None)?;
    // As in the API server, validation comes before the check of the name.
    if let Some(there) = store.get(&key) {
        return Err(if there.is_terminating() {
            Failure::exists_terminating(resource, &name)
        } else {
            Failure::exists(resource, &name)
        });
    }
    field_managers::remember(&mut object, None, author);
    let created = store.put(key.clone(), object, author.by);
    if resource.is_custom() && resource.status {
        // The default status is added when the object is read; it is not stored.
        store.lacks_defaults(key);
    }
    Ok(created)
}

/// Updates an object. `whole` is true for a PUT: then a different UID is a conflict, and some kinds may be created.
pub fn update<'a>(
    store: &mut Store,
    key: &Key,
    subresource: Option<&str>,
    mut new: Value,
    whole: bool,
    author: impl Into<Author<'a>>,
) -> Result<Arc<Value>, Failure> {
    let author = author.into();
    let (resource, name) = (key.resource, key.name.as_str());
    let Some(old) = store.get(key).map(Arc::clone) else {
        if !whole || !resource.is_made_by_updates() {
            return Err(Failure::not_found(resource, name));
        }
        if !new.meta("uid").is_empty() {
            return Err(preconditions::other_uid(resource, name, new.meta("uid"), ""));
        }
        new.metadata().remove("resourceVersion");
        return create(store, resource, &key.namespace, new, author);
    };
    preconditions::check(resource, name, subresource, &new, &old, whole)?;
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
    for field in ["name", "namespace"] {
        set(&mut new["metadata"], field, old["metadata"].get(field).cloned());
    }
    admission::on_update(resource, &mut new, &old);
    if subresource.is_none() {
        store.policies.clone().mutate(resource, Some(&old), &mut new);
        store.policies.refuse(resource, &old, &new, author.by)?;
    }
    admission::validate(resource, &new, Some(&old), subresource)?;
    if resource.generation && content(resource, &new) != content(resource, &old) {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        new.metadata().insert("generation".to_owned(), generation.into());
    }
    field_managers::remember(&mut new, Some(&old), author);
    let before = old["metadata"]["resourceVersion"].clone();
    new.metadata().insert("resourceVersion".to_owned(), before);
    if new == *old && !store.takes_defaults(key) {
        return Ok(old);
    }
    if old.is_terminating() && new.finalizers().is_empty() && *resource != NAMESPACES && *resource != PODS {
        // The answer has the version before the deletion; the watch event has the new one.
        let answer = Arc::new(new.clone());
        store.remove_as(key, new, author.by);
        return Ok(answer);
    }
    Ok(store.put(key.clone(), new, author.by))
}

/// Five characters that differ for each version.
fn name_suffix(version: u64) -> String {
    let mut rest = usize::try_from(version).unwrap_or_default();
    let mut letters = String::new();
    for _ in 0..5 {
        letters.push(char::from(LETTERS[rest % LETTERS.len()]));
        rest /= LETTERS.len();
    }
    letters
}

/// The content that the generation counts. For slices it includes the labels.
fn content(resource: &Resource, object: &Value) -> Value {
    let mut object = object.clone();
    if *resource == SLICES {
        object["labels"] = object["metadata"]["labels"].take();
    }
    if let Some(members) = object.as_object_mut() {
        members.remove("metadata");
        members.remove("status");
    }
    object
}

/// Sets a field of an object, or removes it.
pub(super) fn set(object: &mut Value, member: &str, value: Option<Value>) {
    if let Some(members) = object.as_object_mut() {
        match value {
            Some(value) => members.insert(member.to_owned(), value),
            None => members.remove(member),
        };
    }
}
