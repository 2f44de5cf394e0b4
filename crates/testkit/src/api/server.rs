//! The server of the double: it has the objects and the clock, and serves every request that is not a watch.

use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::author::Author;
use super::call::Call;
use super::failure::Failure;
use super::object::Meta as _;
use super::store::{Key, Store};
use super::{built_in, list, patch as patches, write};

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
    /// The API server's clock, which follows tokio's time.
    pub fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Timestamp::from_nanosecond(i128::from(EPOCH) * 1_000_000_000 + i128::from(passed)).unwrap_or(Timestamp::MAX)
    }

    /// The objects, locked.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// A channel with the newest resource version.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Changes the objects and notifies the watches.
    pub fn change<T>(&self, change: impl FnOnce(&mut Store, Timestamp) -> T) -> T {
        let mut store = self.store();
        let result = change(&mut store, self.now());
        let version = store.version();
        drop(store);
        self.changed
            .send_if_modified(|known| std::mem::replace(known, version) != version);
        result
    }

    /// Serves a request that is not a watch.
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
        // For custom objects the API server reports the object as missing, not the path.
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
            let created = write::create(store, call.resource, &namespace, object_of(call, body)?, author)?;
            Ok((201, Value::clone(&created)))
        }
        "update" => {
            let new = object_of(call, body)?;
            check_path(call, &new)?;
            let key = key(name);
            let code = if store.get(&key).is_some() { 200 } else { 201 };
            let updated = write::update(store, &key, call.subresource.as_deref(), new, true, author)?;
            Ok((code, Value::clone(&updated)))
        }
        "patch" => {
            let key = key(name);
            let old = store.get(&key).ok_or_else(|| Failure::not_found(call.resource, name))?;
            let new = patches::patched(old, call, &parsed(body)?)?;
            check_path(call, &new)?;
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

/// The object of a POST or PUT. It names its kind; only built-in kinds may leave the kind out.
fn object_of(call: &Call, body: &[u8]) -> Result<Value, Failure> {
    let object = parsed(body)?;
    let unrecognized = format!(
        "the object provided is unrecognized (must be of type {})",
        call.resource.kind
    );
    match object["kind"].as_str() {
        Some(kind) if kind == call.resource.kind && built_in::is_readable(&object) => Ok(object),
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

/// Refuses an object whose name or namespace differs from its path.
fn check_path(call: &Call, object: &Value) -> Result<(), Failure> {
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

/// Applies a merge patch, for tests that set up objects.
pub fn merge(object: &mut Value, patch: &Value) {
    json_patch::merge(object, patch);
}

/// Applies a JSON patch, for tests that damage objects.
///
/// # Panics
///
/// If it does not fit the object.
pub fn patch(object: &mut Value, patch: Value) {
    let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
    json_patch::patch(object, &patch).unwrap();
}
