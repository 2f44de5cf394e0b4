//! DELETE: an object with a finalizer or a grace period gets a deletion timestamp, any other is removed.

use std::sync::Arc;

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::author::Author;
use super::failure::Failure;
use super::object::Meta as _;
use super::resource::{NAMESPACES, PODS, Resource, SERVICES};
use super::store::{Key, Store, shown};

/// Deletes an object. The answer is the object if it still exists, or if it is a Service or a pod, else a `Status`.
pub fn delete<'a>(
    store: &mut Store,
    key: &Key,
    options: &Value,
    author: impl Into<Author<'a>>,
) -> Result<Value, Failure> {
    let author = author.into();
    let (resource, name) = (key.resource, key.name.as_str());
    let Some(old) = store.get(key).map(Arc::clone) else {
        return Err(Failure::not_found(resource, name));
    };
    let preconditions = &options["preconditions"];
    let checks = [
        ("uid", "UID", "The object might have been deleted and then recreated"),
        (
            "resourceVersion",
            "ResourceVersion",
            "The object might have been modified",
        ),
    ];
    for (field, title, why) in checks {
        let expected = preconditions[field].as_str().unwrap_or_default();
        let found = old.meta(field);
        if !expected.is_empty() && expected != found {
            return Err(Failure::precondition(resource, name, title, expected, found, why));
        }
    }
    let grace = grace(resource, options, &old);
    let held = !old.finalizers().is_empty() || grace > 0 || *resource == NAMESPACES;
    if held && old.is_terminating() {
        return Ok(Value::clone(&old));
    }
    let mut marked = Value::clone(&old);
    let at = author.now.saturating_add(grace.seconds()).unwrap_or(author.now);
    marked.metadata().insert("deletionTimestamp".to_owned(), shown(at));
    if *resource == NAMESPACES {
        marked["status"]["phase"] = json!("Terminating");
    } else {
        marked
            .metadata()
            .insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    if resource.generation && !old.is_terminating() {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        marked.metadata().insert("generation".to_owned(), generation.into());
    }
    if held {
        return Ok(Value::clone(&store.put(key.clone(), marked, author.by)));
    }
    // A watch sees a pod with a deletion timestamp before it is removed. Other kinds are removed in one step.
    if *resource == PODS {
        store.put(key.clone(), marked, author.by);
    }
    let last = store.remove(key, author.by);
    if *resource == SERVICES || *resource == PODS {
        return Ok(last.map_or(Value::Null, |last| Value::clone(&last)));
    }
    let mut details = json!({"name": name, "kind": resource.plural, "uid": old.meta("uid")});
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
}

/// The grace period in seconds. Only a pod on a node has one.
fn grace(resource: &Resource, options: &Value, old: &Value) -> i64 {
    if *resource != PODS || !old["spec"]["nodeName"].is_string() {
        return 0;
    }
    let asked = options["gracePeriodSeconds"].as_i64();
    asked
        .or(old["spec"]["terminationGracePeriodSeconds"].as_i64())
        .unwrap_or(30)
}
