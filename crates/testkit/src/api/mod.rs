//! A double of the API server: what the operator uses of it, with the semantics of the real one, in memory.
//!
//! [`Api`] holds the objects; [`service::Connection`] serves them to a client as HTTP. Time is tokio's, so that in a
//! runtime with paused time hours pass in milliseconds. A suite of scenarios runs against the double and against a real
//! API server, and compares the answers field by field.

pub mod admission;
pub mod call;
pub mod collector;
pub mod failure;
pub mod object;
pub mod resource;
pub mod selector;
pub mod service;
pub mod store;
pub mod watch;
pub mod write;

use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use call::Call;
use failure::Failure;
use object::Meta as _;
use selector::Selector;
use store::{Key, Store};
use write::Writer;

/// `2026-01-01T00:00:00Z`: the time at which every double starts.
const EPOCH: i64 = 1_767_225_600;

/// The API server.
#[derive(Debug)]
pub struct Api {
    store: Mutex<Store>,
    changed: tokio::sync::watch::Sender<u64>,
    started: Instant,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            store: Mutex::default(),
            changed: tokio::sync::watch::Sender::new(0),
            started: Instant::now(),
        }
    }
}

impl Api {
    /// The API server's clock: it goes with tokio's time.
    pub fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Timestamp::from_nanosecond(i128::from(EPOCH) * 1_000_000_000 + i128::from(passed)).unwrap_or(Timestamp::MAX)
    }

    /// The objects, as long as nothing else happens.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// Tells the newest resource version whenever it grows.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Changes the objects, and tells the watches.
    pub fn change<T>(&self, change: impl FnOnce(&mut Store, Timestamp) -> T) -> T {
        let mut store = self.store();
        let result = change(&mut store, self.now());
        let version = store.version();
        drop(store);
        self.changed
            .send_if_modified(|known| std::mem::replace(known, version) != version);
        result
    }

    /// Serves a request that is no watch.
    pub fn serve(&self, call: &Call, body: &[u8]) -> Result<(u16, Value), Failure> {
        self.change(|store, now| {
            let writer = Writer { by: &call.by, now };
            serve(store, call, body, writer)
        })
    }
}

fn serve(store: &mut Store, call: &Call, body: &[u8], writer: Writer<'_>) -> Result<(u16, Value), Failure> {
    let namespace = call.namespace.clone().unwrap_or_default();
    let key = |name: &str| Key {
        resource: call.resource,
        namespace: namespace.clone(),
        name: name.to_owned(),
    };
    let name = call.name.as_deref().unwrap_or_default();
    if call
        .subresource
        .as_deref()
        .is_some_and(|s| s != "status" || !call.resource.status)
    {
        return Err(Failure::not_served());
    }
    match call.verb {
        "get" => {
            let found = store.get(&key(name));
            let found = found.ok_or_else(|| Failure::not_found(call.resource, name))?;
            Ok((200, Value::clone(found)))
        }
        "list" => list(store, call),
        "create" => {
            let created = write::create(store, call.resource, &namespace, parsed(body)?, writer)?;
            Ok((201, Value::clone(&created)))
        }
        "update" => {
            let new = parsed(body)?;
            let updated = write::update(store, &key(name), call.subresource.as_deref(), new, true, writer)?;
            Ok((200, Value::clone(&updated)))
        }
        "patch" => {
            let key = key(name);
            let old = store.get(&key).ok_or_else(|| Failure::not_found(call.resource, name))?;
            let new = patched(old, call, body)?;
            let updated = write::update(store, &key, call.subresource.as_deref(), new, false, writer)?;
            Ok((200, Value::clone(&updated)))
        }
        "delete" => {
            let options = if body.is_empty() { Value::Null } else { parsed(body)? };
            Ok((200, write::delete(store, &key(name), &options, writer)?))
        }
        verb => Err(Failure::new(
            405,
            "MethodNotAllowed",
            format!("{verb} is not served here"),
        )),
    }
}

fn list(store: &Store, call: &Call) -> Result<(u16, Value), Failure> {
    let selector = selector_of(call)?;
    let items: Vec<&Value> = store
        .of(call.resource)
        .map(|object| &**object)
        .filter(|object| selector.matches(object))
        .collect();
    let list = json!({
        "apiVersion": call.resource.api_version(),
        "kind": format!("{}List", call.resource.kind),
        "metadata": {"resourceVersion": store.version().to_string()},
        "items": items,
    });
    Ok((200, list))
}

fn selector_of(call: &Call) -> Result<Selector, Failure> {
    Selector::parse(
        call.namespace.as_deref(),
        call.query("labelSelector"),
        call.query("fieldSelector"),
    )
}

fn patched(old: &Value, call: &Call, body: &[u8]) -> Result<Value, Failure> {
    let patch = parsed(body)?;
    let mut new = old.clone();
    // The version and UID of the object as it is are no preconditions unless the patch has them.
    match call.content_type.as_str() {
        "application/merge-patch+json" => json_patch::merge(&mut new, &patch),
        "application/json-patch+json" => {
            let patch: json_patch::Patch =
                serde_json::from_value(patch).map_err(|e| Failure::new(400, "BadRequest", e.to_string()))?;
            json_patch::patch(&mut new, &patch).map_err(|e| Failure::new(422, "Invalid", e.to_string()))?;
        }
        "application/strategic-merge-patch+json" if !call.resource.is_custom() => strategic(&mut new, &patch),
        other => {
            let why = format!("the body of the request was in an unknown format: {other}");
            return Err(Failure::new(415, "UnsupportedMediaType", why));
        }
    }
    Ok(new)
}

/// A merge patch that knows one list by its key: the conditions of a status.
fn strategic(new: &mut Value, patch: &Value) {
    let mut patch = patch.clone();
    let conditions = patch["status"]
        .as_object_mut()
        .and_then(|status| status.remove("conditions"));
    json_patch::merge(new, &patch);
    let Some(Value::Array(conditions)) = conditions else {
        return;
    };
    if !new["status"]["conditions"].is_array() {
        new["status"]["conditions"] = json!([]);
    }
    let Some(list) = new["status"]["conditions"].as_array_mut() else {
        return;
    };
    for condition in conditions {
        match list.iter_mut().find(|c| c["type"] == condition["type"]) {
            Some(found) => json_patch::merge(found, &condition),
            None => list.push(condition),
        }
    }
}

fn parsed(body: &[u8]) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|e| Failure::new(400, "BadRequest", e.to_string()))?;
    Ok(value)
}

/// What a list of objects is of, for who sets them up: the key of an object in a manifest.
pub fn key_of(resource: &'static resource::Resource, object: &Value) -> Key {
    Key {
        resource,
        namespace: object.meta("namespace").to_owned(),
        name: object.meta("name").to_owned(),
    }
}

/// A merge patch, for who sets objects up.
pub fn merge(object: &mut Value, patch: &Value) {
    json_patch::merge(object, patch);
}

/// A JSON patch, for who damages objects.
///
/// # Panics
///
/// Where it does not fit the object.
pub fn patch(object: &mut Value, patch: Value) {
    let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
    json_patch::patch(object, &patch).unwrap();
}
