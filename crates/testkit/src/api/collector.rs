//! What kube-controller-manager does for the objects: dependents of owners that are gone are deleted, and namespaces that
//! go are emptied.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Api;
use super::object::Meta as _;
use super::resource::NAMESPACES;
use super::store::{Key, Store};
use super::write::{self, Writer};

/// The client that its writes are by.
pub const NAME: &str = "kube-controller-manager";

/// Collects a while after each change. Never returns.
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

/// One round; whether something was done.
fn collect(store: &mut Store, writer: Writer<'_>) -> bool {
    let Dependents { orphans, bereaved } = dependents(store);
    let going = going_namespaces(store);
    let leaving = leaving(store, &going);
    let empty = empty(store, going);
    let mut done = false;
    for (key, owners) in bereaved {
        if let Some(object) = store.get(&key) {
            let mut object = Value::clone(object);
            object.metadata().insert("ownerReferences".to_owned(), owners);
            store.put(key, object, writer.by);
            done = true;
        }
    }
    for key in orphans.into_iter().chain(leaving) {
        done |= write::delete(store, &key, &json!({"gracePeriodSeconds": 0}), writer).is_ok();
    }
    for key in empty {
        done |= store.remove(&key, writer.by).is_some();
    }
    done
}

/// Objects that have lost owners.
#[derive(Default)]
struct Dependents {
    /// All of them.
    orphans: Vec<Key>,
    /// Some of them, and who is left.
    bereaved: Vec<(Key, Value)>,
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
        if left.is_empty() && !object.is_going() {
            dependents.orphans.push(key.clone());
        } else if !left.is_empty() && left.len() < owners.len() {
            dependents.bereaved.push((key.clone(), json!(left)));
        }
    }
    dependents
}

/// Namespaces and UIDs of all that there is.
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
    /// Whether an object has a living owner of this UID: beside it, or in no namespace. One in another namespace is none.
    fn owns(&self, key: &Key, uid: &str) -> bool {
        self.0.contains(&(key.namespace.as_str(), uid)) || self.0.contains(&("", uid))
    }
}

fn going_namespaces(store: &Store) -> BTreeSet<String> {
    let going = store.of(&NAMESPACES).filter(|namespace| namespace.is_going());
    going.map(|namespace| namespace.meta("name").to_owned()).collect()
}

/// Objects in namespaces that go.
fn leaving(store: &Store, going: &BTreeSet<String>) -> Vec<Key> {
    if going.is_empty() {
        return Vec::new();
    }
    let leaving = store
        .all()
        .filter(|(key, object)| going.contains(&key.namespace) && !object.is_going());
    leaving.map(|(key, _)| key.clone()).collect()
}

/// Namespaces that go and have nothing left.
fn empty(store: &Store, mut going: BTreeSet<String>) -> Vec<Key> {
    if !going.is_empty() {
        for (key, _) in store.all() {
            going.remove(&key.namespace);
        }
    }
    let key = |name| Key {
        resource: &NAMESPACES,
        namespace: String::new(),
        name,
    };
    going.into_iter().map(key).collect()
}
