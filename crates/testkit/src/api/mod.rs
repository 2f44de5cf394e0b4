//! A double of the API server: what the operator uses of it, with the semantics of the real one, in memory.
//!
//! [`Api`] holds the objects; [`service::Connection`] serves them to a client as HTTP. Time is tokio's, so that in a
//! runtime with paused time hours pass in milliseconds. A suite of scenarios runs against the double and against a real
//! API server, and compares the answers field by field.

pub mod admission;
pub mod call;
pub mod collector;
pub mod custom;
pub mod defaults;
pub mod delete;
pub mod failure;
mod field_error;
pub mod kinds;
pub mod list;
pub mod managers;
pub mod names;
pub mod object;
pub mod patch;
pub mod preconditions;
pub mod resource;
pub mod selector;
pub mod service;
pub mod store;
pub mod watch;
pub mod write;

use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use call::Call;
use failure::Failure;
use object::Meta as _;
use store::{Key, Store};
use write::Author;

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
            let manager = match call.query("fieldManager") {
                "" => &call.by,
                manager => manager,
            };
            let author = Author {
                by: &call.by,
                manager,
                now,
            };
            serve(store, call, body, author)
        })
    }
}

fn serve(store: &mut Store, call: &Call, body: &[u8], author: Author<'_>) -> Result<(u16, Value), Failure> {
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
        // What serves custom objects finds the object missing, not the path.
        return Err(if call.resource.is_custom() {
            Failure::not_found(call.resource, name)
        } else {
            Failure::not_served()
        });
    }
    match call.verb {
        "get" => {
            let found = store.get(&key(name));
            let found = found.ok_or_else(|| Failure::not_found(call.resource, name))?;
            Ok((200, Value::clone(found)))
        }
        "list" => list::list(store, call),
        "create" => {
            let created = write::create(store, call.resource, &namespace, whole(call, body)?, author)?;
            Ok((201, Value::clone(&created)))
        }
        "update" => {
            let new = whole(call, body)?;
            named_as_asked(call, &new)?;
            let key = key(name);
            let code = if store.get(&key).is_some() { 200 } else { 201 };
            let updated = write::update(store, &key, call.subresource.as_deref(), new, true, author)?;
            Ok((code, Value::clone(&updated)))
        }
        "patch" => {
            let key = key(name);
            let old = store.get(&key).ok_or_else(|| Failure::not_found(call.resource, name))?;
            let new = patch::patched(old, call, &parsed(body)?)?;
            named_as_asked(call, &new)?;
            let updated = write::update(store, &key, call.subresource.as_deref(), new, false, author)?;
            Ok((200, Value::clone(&updated)))
        }
        "delete" => {
            let options = if body.is_empty() { Value::Null } else { parsed(body)? };
            Ok((200, write::delete(store, &key(name), &options, author)?))
        }
        verb => Err(Failure::new(
            405,
            "MethodNotAllowed",
            format!("{verb} is not served here"),
        )),
    }
}

fn parsed(body: &[u8]) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|e| Failure::new(400, "BadRequest", e.to_string()))?;
    Ok(value)
}

/// An object as it is sent whole: it says what it is, which only built-in kinds may leave out.
fn whole(call: &Call, body: &[u8]) -> Result<Value, Failure> {
    let object = parsed(body)?;
    let unrecognized = format!(
        "the object provided is unrecognized (must be of type {})",
        call.resource.kind
    );
    match object["kind"].as_str() {
        Some(kind) if kind == call.resource.kind && kinds::is_readable(&object) => Ok(object),
        None if object.is_object() && !call.resource.is_custom() => Ok(object),
        Some(kind) => {
            let why = format!(
                "{kind} in version \"{}\" cannot be handled as a {}",
                call.resource.version, call.resource.kind
            );
            Err(Failure::new(400, "BadRequest", why))
        }
        None => Err(Failure::new(400, "BadRequest", unrecognized)),
    }
}

/// The name and the namespace in an object are those of its path, where it has them.
fn named_as_asked(call: &Call, object: &Value) -> Result<(), Failure> {
    let (name, asked) = (object.meta("name"), call.name.as_deref().unwrap_or_default());
    if !name.is_empty() && name != asked {
        let why = format!("the name of the object ({name}) does not match the name on the URL ({asked})");
        return Err(Failure::new(400, "BadRequest", why));
    }
    let namespace = object.meta("namespace");
    if !namespace.is_empty() && call.namespace.as_deref() != Some(namespace) {
        return Err(Failure::new(400, "BadRequest", write::OTHER_NAMESPACE));
    }
    Ok(())
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
