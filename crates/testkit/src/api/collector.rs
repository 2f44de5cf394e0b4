//! The part of kube-controller-manager that tests need: it deletes objects whose owners are gone, and empties namespaces
//! that are being deleted.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Api;
use super::author::Writer;
use super::object::Meta as _;
use super::resource::NAMESPACES;
use super::store::{Key, Store};
use super::write;

/// The client name of its writes.
pub const NAME: &str = "kube-controller-manager";

/// Collects garbage a short time after each change. Never returns.
pub async fn run(api: Arc<Api>, pause: Duration) {
    let mut changes = api.changes();
    loop {
        tokio::time::sleep(pause).await;
        changes.borrow_and_update();
        let collected = api.change(|store, now| collect(store, Writer { by: NAME, now }));
        if !collected && changes.changed().await.is_err() {
            return;
        }
    }
}

/// One round; true if it wrote anything.
fn collect(store: &mut Store, writer: Writer<'_>) -> bool {
    let Dependents { orphans, incomplete } = dependents(store);
    let terminating = terminating_namespaces(store);
    let contents = contents(store, &terminating);
    let empty = empty(store, terminating);
    let mut done = false;
    for (key, owners) in incomplete {
        if let Some(object) = store.get(&key) {
            let mut object = Value::clone(object);
            object.metadata().insert("ownerReferences".to_owned(), owners);
            store.put(key, object, writer.by);
            done = true;
        }
    }
    for key in orphans.into_iter().chain(contents) {
        done |= write::delete(store, &key, &json!({"gracePeriodSeconds": 0}), writer).is_ok();
    }
    for key in empty {
        done |= store.remove(&key, writer.by).is_some();
    }
    done
}

/// Objects with owners that no longer exist.
#[derive(Default)]
struct Dependents {
    /// Objects without any owner left.
    orphans: Vec<Key>,
    /// Objects that keep some owners, with these owners.
    incomplete: Vec<(Key, Value)>,
}

fn dependents(store: &Store) -> Dependents {
    let living = living(store);
    let mut dependents = Dependents::default();
    for (key, object) in store.all() {
        let owners = object["metadata"]["ownerReferences"].as_array();
        let Some(owners) = owners.filter(|owners| !owners.is_empty()) else {
            continue;
        };
        let of = |owner: &&Value| living.owns(key, owner["uid"].as_str().unwrap_or_default());
        let left: Vec<&Value> = owners.iter().filter(of).collect();
        if left.is_empty() && !object.is_terminating() {
            dependents.orphans.push(key.clone());
        } else if !left.is_empty() && left.len() < owners.len() {
            dependents.incomplete.push((key.clone(), json!(left)));
        }
    }
    dependents
}

/// Namespace and UID of every object.
struct Living<'a>(HashSet<(&'a str, &'a str)>);

fn living(store: &Store) -> Living<'_> {
    Living(
        store
            .all()
            .map(|(key, object)| (key.namespace.as_str(), object.meta("uid")))
            .collect(),
    )
}

impl Living<'_> {
    /// True if an owner with this UID exists in the object's namespace or without a namespace. An object of another namespace
    /// does not count as an owner.
    fn owns(&self, key: &Key, uid: &str) -> bool {
        self.0.contains(&(key.namespace.as_str(), uid)) || self.0.contains(&("", uid))
    }
}

fn terminating_namespaces(store: &Store) -> BTreeSet<String> {
    let terminating = store.of(&NAMESPACES).filter(|namespace| namespace.is_terminating());
    terminating.map(|namespace| namespace.meta("name").to_owned()).collect()
}

/// The objects in namespaces that are being deleted, without those that are being deleted already.
fn contents(store: &Store, terminating: &BTreeSet<String>) -> Vec<Key> {
    if terminating.is_empty() {
        return Vec::new();
    }
    let contents = store
        .all()
        .filter(|(key, object)| terminating.contains(&key.namespace) && !object.is_terminating());
    contents.map(|(key, _)| key.clone()).collect()
}

/// The namespaces that are being deleted and have no objects left.
fn empty(store: &Store, mut terminating: BTreeSet<String>) -> Vec<Key> {
    if !terminating.is_empty() {
        for (key, _) in store.all() {
            terminating.remove(&key.namespace);
        }
    }
    let key = |name| Key {
        resource: &NAMESPACES,
        namespace: String::new(),
        name,
    };
    terminating.into_iter().map(key).collect()
}
