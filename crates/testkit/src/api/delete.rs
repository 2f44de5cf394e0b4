//! What a deletion does, and what it answers: objects that something holds begin to go, others are gone.

use std::sync::Arc;

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::failure::Failure;
use super::object::Meta as _;
use super::resource::{NAMESPACES, PODS, Resource, SERVICES};
use super::store::{Key, Store, shown};
use super::write::Author;

/// DELETE: the object where something holds it, or else a `Status`; of Services and pods always the object.
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
    let insisted = [
        ("uid", "UID", "The object might have been deleted and then recreated"),
        (
            "resourceVersion",
            "ResourceVersion",
            "The object might have been modified",
        ),
    ];
    for (field, title, why) in insisted {
        let expected = preconditions[field].as_str().unwrap_or_default();
        let found = old.meta(field);
        if !expected.is_empty() && expected != found {
            return Err(Failure::precondition(resource, name, title, expected, found, why));
        }
    }
    let grace = grace(resource, options, &old);
    let held = !old.finalizers().is_empty() || grace > 0 || *resource == NAMESPACES;
    if held && old.is_going() {
        return Ok(Value::clone(&old));
    }
    let mut going = Value::clone(&old);
    let at = author.now.saturating_add(grace.seconds()).unwrap_or(author.now);
    going.metadata().insert("deletionTimestamp".to_owned(), shown(at));
    if *resource == NAMESPACES {
        going["status"]["phase"] = json!("Terminating");
    } else {
        going
            .metadata()
            .insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    if resource.generation && !old.is_going() {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        going.metadata().insert("generation".to_owned(), generation.into());
    }
    if held {
        return Ok(Value::clone(&store.put(key.clone(), going, author.by)));
    }
    // A pod is told that it goes before it is gone, others are just gone.
    if *resource == PODS {
        store.put(key.clone(), going, author.by);
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

/// Seconds that an object has to end: a pod that runs on a node has some.
fn grace(resource: &Resource, options: &Value, old: &Value) -> i64 {
    if *resource != PODS || !old["spec"]["nodeName"].is_string() {
        return 0;
    }
    let asked = options["gracePeriodSeconds"].as_i64();
    asked
        .or(old["spec"]["terminationGracePeriodSeconds"].as_i64())
        .unwrap_or(30)
}
